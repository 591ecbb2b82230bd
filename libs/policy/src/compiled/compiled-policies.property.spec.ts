/** Compiled policies never say anything else than the engine: over random policies, and random requests that do not always fit the schema. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { parsed, policy, SAMPLE } from '../../test/random-policies.js';
import { anyRequest, request } from '../../test/random-requests.js';
import type { CedarRequest } from '../cedar-request.js';
import { evaluate, type Evaluation } from '../evaluate.js';
import { loadPolicies } from '../load-policies.js';
import { ASK_ENGINE } from './ask-engine.js';
import { CompiledPolicies } from './compiled-policies.js';

/** The word of the compiled policies; undefined: they leave it to the engine. */
function presumed(compiled: CompiledPolicies, given: CedarRequest): Evaluation | undefined {
  try {
    return compiled.evaluate(given);
  } catch (error) {
    if (error === ASK_ENGINE) return undefined;
    throw error;
  }
}

it('by the sample’s policies, over 6,000 requests', async () => {
  const policies = await loadPolicies(SAMPLE);
  const compiled = new CompiledPolicies(policies);
  const said = { permit: 0, deny: 0, failed: 0 };
  fc.assert(
    fc.property(anyRequest, (given) => {
      const quick = presumed(compiled, given);
      if (quick === undefined) return true;
      said[quick.outcome] += 1;
      return isDeepStrictEqual(quick, evaluate(policies, given));
    }),
    { numRuns: 6_000, seed: 6 },
  );
  expect(said.permit).toBeGreaterThan(200);
  expect(said.deny).toBeGreaterThan(3_000);
  expect(said.failed).toBe(0);
}, 240_000);

it('leaves nothing of what the broker asks to the engine', async () => {
  const compiled = new CompiledPolicies(await loadPolicies(SAMPLE));
  fc.assert(
    fc.property(request, (given) => presumed(compiled, given) !== undefined),
    { numRuns: 500, seed: 6 },
  );
});

it('by random policies, over 5,000 requests', () => {
  let answered = 0;
  fc.assert(
    fc.property(
      fc.array(policy, { minLength: 1, maxLength: 4 }),
      fc.array(anyRequest, { minLength: 35, maxLength: 35 }),
      (set, requests) => {
        // One that would not be loaded is left out, not all of them.
        const policies = parsed(set.filter((each) => parsed([each]) !== undefined));
        if (policies === undefined) return true;
        const compiled = new CompiledPolicies(policies);
        return requests.every((given) => {
          const quick = presumed(compiled, given);
          if (quick === undefined) return true;
          answered += 1;
          return isDeepStrictEqual(quick, evaluate(policies, given));
        });
      },
    ),
    { numRuns: 200, seed: 6 },
  );
  expect(answered).toBeGreaterThan(5_000);
}, 240_000);
