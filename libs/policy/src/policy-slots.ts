/**
 * The engine keeps parsed sets under names and never frees one, so there are two names, and a set that is used takes
 * the one that was not used last. While one set decides, another can be loaded and tried without disturbing it.
 */
import { cedar } from './cedar.js';
import type { ParsedPolicies } from './parse-policies.js';

export type Slot = 'a' | 'b';

const occupants: Record<Slot, ParsedPolicies | undefined> = { a: undefined, b: undefined };
let lastUsed: Slot = 'b';

/** The slot that holds the set, which is put there first if it is not. @throws Error if the engine refuses a set that was parsed before. */
export function slotOf(policies: ParsedPolicies): Slot {
  const spare: Slot = lastUsed === 'a' ? 'b' : 'a';
  const slot = occupants[lastUsed] === policies ? lastUsed : spare;
  if (occupants[slot] !== policies) {
    occupants[slot] = undefined;
    accepted(cedar.preparseSchema(slot, policies.schema));
    accepted(cedar.preparsePolicySet(slot, { staticPolicies: { ...policies.texts } }));
    occupants[slot] = policies;
  }
  lastUsed = slot;
  return slot;
}

function accepted(answer: ReturnType<typeof cedar.preparseSchema>): void {
  if (answer.type === 'failure') throw new Error('engine refused a parsed policy set');
}
