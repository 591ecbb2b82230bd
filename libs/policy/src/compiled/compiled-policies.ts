/**
 * A policy set read into functions: some fifty times as quick as the engine, and no judge. It answers only what it knows to the letter, and
 * whoever uses it has the engine confirm what matters: see `confirmed-policies.ts` and `replay/rejudge.ts`.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { cedar } from '../cedar.js';
import { type CedarRequest, missingEntity } from '../cedar-request.js';
import type { Evaluation } from '../evaluate.js';
import type { ParsedPolicies } from '../parse-policies.js';
import { askEngine } from './ask-engine.js';
import { compile, type Compiled, type Facts } from './expression.js';
import { FactReader } from './fact-reader.js';
import { compileConstraint, compileScope, type IsIn, orMaybe } from './scope.js';

interface CompiledPolicy {
  id: string;
  isForbid: boolean;
  /** Whether it may be about that action. */
  isOf: IsIn;
  isAbout: (facts: Facts) => boolean;
  /** All must be as they are `wanted`. */
  conditions: { holds: Compiled; wanted: boolean }[];
}

export class CompiledPolicies {
  readonly #policies: CompiledPolicy[];
  readonly #reader: FactReader;
  /** By action: those that may be about it. Groups of actions are the schema's, so that they are the same for all requests. */
  readonly #byAction = new Map<string, readonly CompiledPolicy[]>();

  /** @throws Error if the engine refuses a schema that was parsed before. */
  constructor({ schema, contents }: ParsedPolicies) {
    const answer = cedar.schemaToJsonWithResolvedTypes(schema);
    if (answer.type === 'failure') throw new Error('engine refused a parsed schema');
    this.#reader = new FactReader(answer.json);
    this.#policies = [...contents].map(([id, content]) =>
      compilePolicy(id, JSON.parse(content) as PolicyJson),
    );
  }

  /** What the engine would say. @throws ASK_ENGINE where only it can say, and wherever it would fail */
  evaluate(request: CedarRequest): Evaluation {
    if (missingEntity(request) !== undefined) askEngine();
    const facts = this.#reader.read(request);
    // The engine asks all of them, and one that fails makes its answer a failure: so none may be left out.
    const satisfied = this.#policiesOf(facts).filter((policy) => isSatisfied(policy, facts));
    const forbids = satisfied.filter(({ isForbid }) => isForbid);
    const isPermitted = forbids.length === 0 && satisfied.length > 0;
    return {
      outcome: isPermitted ? 'permit' : 'deny',
      policies: (isPermitted ? satisfied : forbids).map(({ id }) => id).sort(),
    };
  }

  #policiesOf({ action, entities }: Facts): readonly CompiledPolicy[] {
    let found = this.#byAction.get(action.key);
    if (found === undefined) {
      found = this.#policies.filter(({ isOf }) => isOf(action, entities));
      this.#byAction.set(action.key, found);
    }
    return found;
  }
}

function compilePolicy(id: string, policy: PolicyJson): CompiledPolicy {
  return {
    id,
    isForbid: policy.effect === 'forbid',
    isOf: orMaybe(compileConstraint(policy.action)),
    isAbout: compileScope(policy),
    conditions: policy.conditions.map(({ kind, body }) => ({
      holds: compile(body),
      wanted: kind === 'when',
    })),
  };
}

function isSatisfied({ isAbout, conditions }: CompiledPolicy, facts: Facts): boolean {
  return (
    isAbout(facts) &&
    conditions.every(({ holds, wanted }) => {
      const value = holds(facts);
      return typeof value === 'boolean' ? value === wanted : askEngine();
    })
  );
}
