/** Whom and what a policy is about: `permit (principal in …, action == …, resource in …)` as a function of the request. */
import type {
  ActionConstraint,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';
import { askEngine } from './ask-engine.js';
import type { Entities } from './entities.js';
import type { Facts } from './expression.js';
import { Ref } from './value.js';

export function compileScope({ principal, action, resource }: PolicyJson): (facts: Facts) => boolean {
  const isItsPrincipal = compileConstraint(principal);
  const isItsAction = compileConstraint(action);
  const isItsResource = compileConstraint(resource);
  return (facts) =>
    isItsAction(facts.action, facts.entities) &&
    isItsPrincipal(facts.principal, facts.entities) &&
    isItsResource(facts.resource, facts.entities);
}

export type IsIn = (ref: Ref, entities: Entities) => boolean;

export function compileConstraint(
  constraint: PrincipalConstraint | ActionConstraint | ResourceConstraint,
): IsIn {
  switch (constraint.op) {
    case 'All':
      return () => true;
    case '==': {
      if (!('entity' in constraint)) return askEngine;
      const { key } = refOf(constraint.entity);
      return (ref) => ref.key === key;
    }
    case 'in': {
      if ('slot' in constraint) return askEngine;
      const groups = ('entities' in constraint ? constraint.entities : [constraint.entity]).map(refOf);
      return (ref, entities) => groups.some((group) => entities.isIn(ref, group));
    }
    case 'is': {
      const { entity_type: type, in: within } = constraint;
      if (within !== undefined && !('entity' in within)) return askEngine;
      const group = within === undefined ? undefined : refOf(within.entity);
      return (ref, entities) => ref.type === type && (group === undefined || entities.isIn(ref, group));
    }
    default:
      return askEngine;
  }
}

/** What cannot be told here is the engine's to tell. */
export function orMaybe(isIn: IsIn): IsIn {
  return (ref, entities) => {
    try {
      return isIn(ref, entities);
    } catch {
      return true;
    }
  };
}

export function refOf(uid: EntityUidJson): Ref {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  return new Ref(type, id);
}
