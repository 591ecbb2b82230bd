/**
 * Of many policies those whose scope a request fits, for they alone can be satisfied or fail: most policies of a large set speak of one
 * team and its data. Requests that the same policies are about share a slot; names of slots are never freed, so there are not many.
 */
import type { EntityUidJson, PolicyJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from './cedar-request.js';
import { Entities } from './compiled/entities.js';
import { compileConstraint, type IsIn, orMaybe, refOf } from './compiled/scope.js';

const MAX_SLOTS = 64;

export interface ScopedPolicy {
  id: string;
  policy: PolicyJson;
}

export class PoliciesInScope {
  readonly #policies: { id: string; principal: IsIn; resource: IsIn }[];
  /** Number of a slot by the ids in it, the one longest unused first. */
  readonly #slots = new Map<string, number>();
  #next = 0;

  constructor(policies: readonly ScopedPolicy[]) {
    this.#policies = policies.map(({ id, policy: { principal, resource } }) => ({
      id,
      principal: orMaybe(compileConstraint(principal)),
      resource: orMaybe(compileConstraint(resource)),
    }));
  }

  /** The number of the slot for a request. @param fill is told what to put into it first, where it is not there */
  slotOf(request: CedarRequest, fill: (slot: number, ids: string[]) => void): number {
    const ids = this.#idsFor(request);
    const key = ids.join(' ');
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = this.#next < MAX_SLOTS ? this.#next++ : this.#takeOldest();
      fill(slot, ids);
    }
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    return slot;
  }

  #idsFor({ principal, resource, entities }: CedarRequest): string[] {
    const [who, what] = [refOf(principal), refOf(resource)];
    const parents = new Map(
      entities.map(({ uid, parents }) => [
        keyOf(uid),
        { attrs: new Map<string, never>(), parents: parents.map(keyOf) },
      ]),
    );
    const sent = new Entities(parents, new Map());
    return this.#policies
      .filter((policy) => policy.principal(who, sent) && policy.resource(what, sent))
      .map(({ id }) => id);
  }

  #takeOldest(): number {
    const [[key, slot] = ['', 0]] = this.#slots;
    this.#slots.delete(key);
    return slot;
  }
}

const keyOf = (uid: EntityUidJson | TypeAndId): string => refOf(uid).key;
