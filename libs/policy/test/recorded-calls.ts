/** Calls as a broker would have recorded them: decided by a set of policies, with the inputs that they were decided on. */
import type { Catalogue } from '#events/catalogue.js';
import type { CallInputs } from '../src/decision-inputs.js';
import type { CallRequest, PolicySet } from '../src/policy-set.js';
import type { RecordedCall } from '../src/replay/rejudge.js';

const NOON_MS = Date.UTC(2026, 0, 5, 12);
const AGENTS = ['analyst', 'planner', 'executor'].map((name) => `spiffe://dev.mayfly/agent/${name}`);
const ACTS = [
  { tool: 'sql.query', dataset: 'crm.orders', action: 'read' },
  { tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
  { tool: 'sql.query', dataset: 'hr.salaries', action: 'read' },
  { tool: 'orders.api', dataset: 'orders', action: 'read' },
];
const nth = <T>(list: readonly T[], n: number): T => list[n % list.length] as T;
const uuid = (n: number) => `019b8e6a-7400-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** The nth of an endless sequence of different calls, the same every time. */
export function requestOf(catalogue: Catalogue, n: number): CallRequest {
  return {
    catalogue,
    agent: nth(AGENTS, n),
    ...nth(ACTS, Math.floor(n / AGENTS.length)),
    task: {
      taskId: uuid(n % 97),
      orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
      onBehalfOf: 'user:maria@corp.example',
      purpose: 'Reconcile October invoices',
      risk: 'low',
      deadlineMs: NOON_MS + 3_600_000,
      depth: 0,
      maxCalls: 1_000_000,
      maxRows: 10_000,
    },
    now: {
      atMs: NOON_MS + n,
      calls: n,
      callsLastMinute: n % 7,
      rows: 0,
      drift: 0,
      renewals: 0,
      approval: 'none',
      approvers: [],
    },
  };
}

export function recordedCall(policies: PolicySet, catalogue: Catalogue, n: number): RecordedCall {
  const { agent, tool, dataset, action, task, now } = requestOf(catalogue, n);
  const { decision, code, checks, inputs, inputsDigest } = policies.decideCall(requestOf(catalogue, n));
  const at = new Date(now.atMs).toISOString();
  return {
    decided: {
      ...{
        taskId: task.taskId,
        generation: 1,
        actor: '//mayfly/broker',
        at,
        callId: uuid(n),
        agent,
        tool,
        action,
      },
      ...(dataset === undefined ? {} : { dataset }),
      ...{ decision, checks: [{ check: 'task_live', ok: true }, ...checks], policySet: policies.digest },
      ...(code === undefined ? {} : { code }),
      ...{ inputs: inputsDigest, obligations: { ttlMs: null, approval: null } },
      ...{ callDigest: `sha256:${'0'.repeat(64)}`, proofKey: 'thumbprint' },
    },
    inputs: inputs as CallInputs,
  };
}
