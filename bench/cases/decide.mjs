/**
 * Two decisions of policy a call, by the sample's policies and by sets of 100 and 1,000 that contain them: how many calls one core decides in a
 * second, and how long one takes. As a broker decides by default, and by the engine alone.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolicySet } from '../../dist/libs/policy/src/policy-set.js';
import { loadCatalogue } from '../../dist/libs/policy/src/load-catalogue.js';
import { requestOf } from '../../test/support/recorded-calls.mjs';
import { morePolicies } from '../more-policies.mjs';
import { latencies } from '../stats.mjs';

export const name = 'decide';
export const needsStack = false;

const SIZES = [0, 100, 1_000];
/** Different calls, in turn. */
const CALLS = 200;
/** As by default in `mayfly.yaml`. */
const CONFIRM_ONE_IN = 100;

export async function run({ root, size }) {
  const { catalogue } = await loadCatalogue(`${root}/deploy/sample/catalogue`, {}, { targets: 'describe' });
  const figures = {};
  for (const wanted of SIZES) {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-bench-decide-'));
    try {
      cpSync(`${root}/deploy/sample/policy`, folder, { recursive: true });
      const { length } = (await PolicySet.load(folder)).policyIds;
      if (wanted > length) writeFileSync(join(folder, 'more.cedar'), morePolicies(wanted - length));
      const engine = await PolicySet.load(folder);
      const questions = questionsFor(engine, catalogue);
      const policies = await PolicySet.load(folder, undefined, confirming());
      const named = `, ${policies.policyIds.length} policies`;
      Object.assign(figures, measure(policies, questions, size.decisions, named));
      Object.assign(figures, measure(engine, questions, size.decisions / 2, `${named}, by Cedar alone`));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return figures;
}

const confirming = () => ({
  ...{ confirmOneIn: CONFIRM_ONE_IN, isTrusted: true },
  onDisagreement: (about) => {
    throw new Error(`the engine does not confirm it: ${JSON.stringify(about)}`);
  },
});

function measure(policies, questions, decisions, suffix) {
  const warmUp = decisions / 5;
  const valuesMs = [];
  let beganWith = process.cpuUsage();
  for (let n = -warmUp; n < decisions; n += 1) {
    if (n === 0) beganWith = process.cpuUsage();
    const startMs = performance.now();
    policies.decideCall(questions[Math.abs(n) % questions.length]);
    if (n >= 0) valuesMs.push(performance.now() - startMs);
  }
  const { user, system } = process.cpuUsage(beganWith);
  const totalMs = valuesMs.reduce((sum, ms) => sum + ms, 0);
  const named = Object.entries({
    'calls decided/s': Math.round((valuesMs.length * 1_000) / totalMs),
    'calls/s of processor time': Math.round((valuesMs.length * 1_000_000) / (user + system)),
    ...latencies(valuesMs),
  });
  return Object.fromEntries(named.map(([figure, value]) => [`${figure}${suffix}`, value]));
}

/** Calls on a dataset that are decided twice: where people could approve, a third decision says whether that would help. */
function questionsFor(policies, catalogue) {
  const questions = [];
  for (let n = 0; questions.length < CALLS; n += 1) {
    const question = requestOf(catalogue, n);
    if (question.dataset === undefined) continue;
    if (policies.decideCall(question).decision !== 'approval_required') questions.push(question);
  }
  return questions;
}
