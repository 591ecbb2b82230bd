/** Cuts an event down to what a leaf may hold, member by member, by a rule. What no rule names stays out. */
import type { Pseudonyms } from './keys.js';

/**
 * `plain`: an identifier, a number or a boolean, as it is. `id`: who acted; a workload's id as it is, a person's as a pseudonym.
 * `person`: a pseudonym. `digest`: a keyed token of a digest. `sealed`: a commitment. Anything of another shape than its rule is sealed.
 */
export type Kind = 'plain' | 'id' | 'person' | 'digest' | 'sealed';
export type Rule =
  Kind | { readonly each: Rule } | { readonly of: { readonly [member: string]: Rule | undefined } };

/** Rules that fit a type: a misspelt member does not compile. */
export type RuleFor<T> =
  | Kind
  | (T extends readonly (infer U)[]
      ? { readonly each: RuleFor<U> }
      : T extends object
        ? { readonly of: { readonly [K in keyof T]?: RuleFor<NonNullable<T[K]>> } }
        : never);

export type Json = string | number | boolean | null | Json[] | { [member: string]: Json };

/** What leaves the place of a value in the leaf. */
export interface Projector {
  pseudonyms: Pseudonyms;
  /** Is this SPIFFE id a person's, such as an operator's? */
  isPerson: (spiffeId: string) => boolean;
  /** Takes the JSON text of a value that only a commitment may stand for. */
  seal: (pointer: string, json: string) => void;
}

/** No space and no `@`: neither a sentence nor a mail address passes as an identifier. */
const IDENTIFIER = /^[A-Za-z0-9_][A-Za-z0-9._:/+-]{0,255}$/;
const WORKLOAD = /^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]{1,255}){1,16}$/;
const SERVICE = /^\/\/mayfly\/[a-z]{1,32}$/;

/** @returns the value for the leaf; undefined if nothing of it may stand there, and then it was sealed. */
export function project(rule: Rule, value: unknown, pointer: string, to: Projector): Json | undefined {
  if (value === undefined) return undefined;
  const seal = (): undefined => {
    to.seal(pointer, JSON.stringify(value));
    return undefined;
  };
  if (typeof rule === 'object') {
    if ('each' in rule) {
      if (!Array.isArray(value)) return seal();
      return value.map((item, i) => project(rule.each, item, `${pointer}/${i}`, to) ?? null);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return seal();
    const clear: { [member: string]: Json } = {};
    for (const [member, inner] of membersOf(rule)) {
      if (!Object.hasOwn(value, member)) continue;
      const kept = project(inner, (value as Record<string, unknown>)[member], `${pointer}/${member}`, to);
      if (kept !== undefined) clear[member] = kept;
    }
    return clear;
  }
  if (rule === 'sealed') return seal();
  if (typeof value === 'string') {
    if (rule === 'person') return to.pseudonyms.person(value);
    if (rule === 'digest') return to.pseudonyms.digest(value);
    if (rule === 'id') return projectId(value, to);
    return IDENTIFIER.test(value) ? value : seal();
  }
  const isPlain =
    value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
  return rule === 'plain' && isPlain ? value : seal();
}

type Members = readonly (readonly [string, Rule])[];
const sorted = new WeakMap<object, Members>();

/** In the order in which a leaf has them, so that it is sorted once and not for each entry. */
function membersOf(rule: Extract<Rule, { of: unknown }>): Members {
  const known = sorted.get(rule);
  if (known !== undefined) return known;
  const members = Object.entries(rule.of)
    .flatMap(([member, inner]) => (inner === undefined ? [] : [[member, inner] as const]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  sorted.set(rule, members);
  return members;
}

/** An id of somebody who was authenticated. */
export function projectId(id: string, to: Pick<Projector, 'pseudonyms' | 'isPerson'>): string {
  if (SERVICE.test(id)) return id;
  return WORKLOAD.test(id) && !to.isPerson(id) ? id : to.pseudonyms.person(id);
}
