/**
 * Who acts, and through whom (RFC 8693 §4.1): the outermost actor is the one who acts now, and the only one that counts for a
 * decision; those inside are history. Pure.
 */
import { refuse } from '#identity/refuse.js';
import { hasOnly, isName } from './claim-forms.js';
import type { Checked } from './refusal.js';

export interface Actor {
  /** SPIFFE id, or the subject of a workload token. */
  sub: string;
  /** Who acted before, and handed on. */
  act?: Actor;
}

/** Actors in one chain, the outermost included. */
export const MAX_ACTORS = 4;

const invalid = (reason: string) => refuse('ERR_TOKEN_ACTOR', reason);

/** Reads the claim `act`. A member that we do not know is refused: an `iss`, for one, would make `sub` another one's name. */
export function readActor(value: unknown): Checked<{ act: Actor }> {
  const subs: string[] = [];
  for (let each = value; each !== undefined;) {
    if (!hasOnly(each, ['sub', 'act']))
      return invalid('an actor is no object, or has a member we do not know');
    if (!isName(each.sub, 2048)) return invalid('an actor has no subject');
    if (subs.push(each.sub) > MAX_ACTORS) return invalid('the chain of actors is too long');
    each = each.act;
  }
  const [outermost, ...earlier] = subs;
  if (outermost === undefined) return invalid('nobody is said to act');
  return { ok: true, act: chain(outermost, earlier) };
}

const chain = (sub: string, [next, ...rest]: string[]): Actor =>
  next === undefined ? { sub } : { sub, act: chain(next, rest) };

/** The subjects of a chain, the outermost first. */
export const actorsOf = ({ sub, act }: Actor): string[] => [sub, ...(act === undefined ? [] : actorsOf(act))];

/** `sub` takes over from `earlier`. Whoever acts already goes on acting, without a second entry. */
export function actingAfter(earlier: Actor, sub: string): Checked<{ act: Actor }> {
  if (earlier.sub === sub) return { ok: true, act: earlier };
  return readActor({ sub, act: earlier });
}

/** True if `later` is `earlier`, or `earlier` with one new actor outside: nobody is dropped, and no history is added. */
export function actsAfter(earlier: Actor, later: Actor): boolean {
  const before = actorsOf(earlier);
  const after = actorsOf(later);
  const isNew = after.length === before.length + 1 && after[0] !== before[0];
  const kept = isNew ? after.slice(1) : after;
  return kept.length === before.length && kept.every((sub, index) => sub === before[index]);
}
