/**
 * The engine keeps parsed sets under names and never frees one, so there are two places, and a set that is used takes the one that
 * was not used last: while one set decides, another can be loaded and tried without disturbing it. Every decision copies what is under its
 * name: so a place has slots for each action, and for the policies of a large set that a request is about.
 */
import { cedar } from './cedar.js';
import type { CedarRequest } from './cedar-request.js';
import type { NamesRead } from './facts-read.js';
import type { ParsedPolicies } from './parse-policies.js';
import { PoliciesInScope } from './policies-in-scope.js';
import { policiesOfAction } from './policies-of-action.js';

/** With so few, one slot is as quick as the choice between several. */
const FEW = 30;

type Place = 'a' | 'b';
interface Occupant {
  policies: ParsedPolicies;
  /** By action. */
  slots: Map<string, ActionSlots>;
}
interface ActionSlots {
  schema: string;
  names: NamesRead;
  /** The name of the policies for a request. */
  policiesFor: (request: CedarRequest) => string;
}

/** Names of what the engine keeps, and the facts that those policies can read. */
export interface Slot {
  schema: string;
  policies: string;
  names: NamesRead;
}

const occupants: Record<Place, Occupant | undefined> = { a: undefined, b: undefined };
let lastUsed: Place = 'b';

/**
 * The slot with what of the set can have a say in the request; it is filled first if it is not. Undefined for an action that the schema
 * does not have. @throws Error if the engine refuses a set that was parsed before.
 */
export function slotOf(policies: ParsedPolicies, request: CedarRequest): Slot | undefined {
  const { place, slots } = placeOf(policies);
  const name = `${place} ${request.action.type}::${request.action.id}`;
  const found = slots.get(name) ?? actionSlots(policies, request, name);
  if (found === undefined) return undefined;
  slots.set(name, found);
  return { schema: found.schema, policies: found.policiesFor(request), names: found.names };
}

function actionSlots(set: ParsedPolicies, { action }: CedarRequest, name: string): ActionSlots | undefined {
  const found = policiesOfAction(set, action);
  if (found === undefined) return undefined;
  const { schema, texts, policies, names } = found;
  accepted(cedar.preparseSchema(name, schema));
  const keep = (under: string, ids: readonly string[]) =>
    accepted(
      cedar.preparsePolicySet(under, {
        staticPolicies: Object.fromEntries(ids.map((id) => [id, texts[id] ?? ''])),
      }),
    );
  if (policies.length <= FEW) {
    keep(name, Object.keys(texts));
    return { schema: name, names, policiesFor: () => name };
  }
  const inScope = new PoliciesInScope(policies);
  return {
    ...{ schema: name, names },
    policiesFor: (request) =>
      `${name} ${inScope.slotOf(request, (slot, ids) => keep(`${name} ${slot}`, ids))}`,
  };
}

function placeOf(policies: ParsedPolicies): { place: Place; slots: Occupant['slots'] } {
  const spare: Place = lastUsed === 'a' ? 'b' : 'a';
  const place = occupants[lastUsed]?.policies === policies ? lastUsed : spare;
  const found = occupants[place];
  const occupant = found?.policies === policies ? found : { policies, slots: new Map<string, ActionSlots>() };
  occupants[place] = occupant;
  lastUsed = place;
  return { place, slots: occupant.slots };
}

function accepted(answer: ReturnType<typeof cedar.preparseSchema>): void {
  if (answer.type === 'failure') throw new Error('engine refused a parsed policy set');
}
