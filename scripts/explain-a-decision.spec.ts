/** What the how-to on explaining shows is what is told: of a recorded call, and of who could reach a dataset. */
import { readFileSync } from 'node:fs';
import { explainCall } from '#policy/explain/explain-call.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { loadPolicies } from '#policy/load-policies.js';
import { PolicySet } from '#policy/policy-set.js';
import { explanationText } from '../apps/cli/src/policy/explanation-text.js';
import { ordinaryCall } from '../test/support/recorded-calls.mjs';
import { itAnswersAsTold, pattern } from '../test/support/told-steps.js';

const FILE = 'docs/how-to/explain-a-decision.md';
const PAGE = readFileSync(FILE, 'utf8');
const POLICY = 'deploy/sample/policy';
/** The second of the recorded calls: a planner asks for orders. */
const SHOWN = 1;

itAnswersAsTold('shows who could reach a dataset', FILE, 2);

it('shows a recorded call as it is explained', async () => {
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  const call = ordinaryCall(await PolicySet.load(POLICY), catalogue, SHOWN);
  const text = explanationText(explainCall(call, await loadPolicies(POLICY)), { earlier: [], followed: [] });
  const shown = /```text\n\$ npx --no mayfly policy explain (\S+)\n([^]*?)```/.exec(PAGE);

  expect(shown?.[1]).toBe(call.decided.callId);
  expect(`${text}\n`).toMatch(pattern(shown?.[2] ?? ''));
});
