/** Two Cedar decisions a call, on the sample's policies: how many calls a second one core decides, and how long one takes. */
import { PolicySet } from '../../dist/libs/policy/src/policy-set.js';
import { loadCatalogue } from '../../dist/libs/policy/src/load-catalogue.js';
import { latencies } from '../stats.mjs';

export const name = 'decide';
export const needsStack = false;

export async function run({ root, size }) {
  const { catalogue } = await loadCatalogue(`${root}/deploy/sample/catalogue`, {}, { targets: 'describe' });
  const policies = await PolicySet.load(`${root}/deploy/sample/policy`);
  const question = {
    catalogue,
    agent: 'spiffe://dev.mayfly/agent/analyst',
    tool: 'sql.query',
    dataset: 'crm.orders',
    action: 'read',
    task: {
      taskId: '01930000-0000-7000-8000-000000000001',
      orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
      onBehalfOf: 'user:maria@corp.example',
      purpose: 'measure',
      risk: 'low',
      deadlineMs: Date.now() + 3_600_000,
      depth: 0,
      maxCalls: 100,
      maxRows: 10_000,
    },
    now: {
      atMs: Date.now(),
      calls: 0,
      callsLastMinute: 0,
      rows: 0,
      drift: 0,
      renewals: 0,
      approval: 'none',
      approvers: [],
    },
  };
  const valuesMs = [];
  for (let n = 0; n < size.decisions; n += 1) {
    const startMs = performance.now();
    const { decision } = policies.decideCall(question);
    if (decision !== 'permit') throw new Error(`the sample's call was not permitted: ${decision}`);
    if (n >= size.decisions / 5) valuesMs.push(performance.now() - startMs);
  }
  const totalMs = valuesMs.reduce((sum, ms) => sum + ms, 0);
  return {
    'calls decided/s': Math.round((valuesMs.length * 1_000) / totalMs),
    ...latencies(valuesMs),
    policies: policies.policyIds.length,
  };
}
