/**
 * Calls as a broker would have recorded them: decided by a set of policies on facts of many kinds, with the inputs that they were decided
 * on. The same every time. Benchmarks use them too, so nothing is imported.
 */
const NOON_MS = Date.UTC(2026, 0, 5, 12);
const AGENTS = ['analyst', 'planner', 'executor'];
const ACTS = [
  { tool: 'sql.query', dataset: 'crm.orders', action: 'read' },
  { tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
  { tool: 'sql.query', dataset: 'crm.customers', action: 'read' },
  { tool: 'sql.query', dataset: 'hr.salaries', action: 'read' },
  { tool: 'orders.api', dataset: 'orders', action: 'read' },
  { tool: 'orders.api', dataset: 'orders', action: 'write' },
  { tool: 'orders.mcp', action: 'read' },
  { tool: 'mail.send', action: 'send' },
];
const MARIA = 'user:maria@corp.example';
const APPROVALS = [
  { approval: 'none', approvers: [] },
  { approval: 'requested', approvers: [] },
  { approval: 'approved', approvers: ['user:olga@corp.example'] },
  { approval: 'approved', approvers: [MARIA] },
];

/** A number below `limit`, different for each fact of each call. */
function draw(n, fact, limit) {
  let x = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(fact + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  x = Math.imul(x ^ (x >>> 12), 0x297a2d39);
  return ((x ^ (x >>> 15)) >>> 0) % limit;
}
const oneOf = (list, n, fact) => list[draw(n, fact, list.length)];
const uuid = (n, kind = '8') => `019b8e6a-7400-7000-${kind}000-${n.toString(16).padStart(12, '0')}`;

/** The nth of an endless sequence of different calls. */
export function requestOf(catalogue, n) {
  const atMs = NOON_MS + n;
  return {
    catalogue,
    agent: `spiffe://dev.mayfly/agent/${oneOf(AGENTS, n, 0)}`,
    ...oneOf(ACTS, n, 1),
    task: {
      taskId: uuid(n % 97),
      orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
      onBehalfOf: MARIA,
      purpose: 'Reconcile October invoices',
      risk: oneOf(['low', 'medium', 'high'], n, 2),
      deadlineMs: atMs + oneOf([5_000, 60_000, 3_600_000], n, 3),
      depth: draw(n, 4, 5),
      maxCalls: 100,
      maxRows: 10_000,
    },
    now: {
      atMs,
      calls: draw(n, 5, 110),
      callsLastMinute: draw(n, 6, 10),
      rows: draw(n, 7, 11_000),
      drift: draw(n, 8, 100),
      renewals: 0,
      ...oneOf(APPROVALS, n, 9),
    },
  };
}

/** The nth of calls of ordinary tasks, where only agent, act and time vary: a reader can tell what a policy says of it. */
export function ordinaryRequestOf(catalogue, n) {
  const acts = [ACTS[0], ACTS[1], ACTS[3], ACTS[4]];
  return {
    catalogue,
    agent: `spiffe://dev.mayfly/agent/${AGENTS[n % AGENTS.length]}`,
    ...acts[Math.floor(n / AGENTS.length) % acts.length],
    task: {
      ...{ taskId: uuid(n % 97), orchestrator: 'spiffe://dev.mayfly/orchestrator/sample', onBehalfOf: MARIA },
      ...{ purpose: 'Reconcile October invoices', risk: 'low', deadlineMs: NOON_MS + 3_600_000, depth: 0 },
      ...{ maxCalls: 1_000_000, maxRows: 10_000 },
    },
    now: {
      ...{ atMs: NOON_MS + n, calls: n, callsLastMinute: n % 7, rows: 0, drift: 0, renewals: 0 },
      ...{ approval: 'none', approvers: [] },
    },
  };
}

/** The nth call, decided and recorded. */
export const recordedCall = (policies, catalogue, n) => recorded(policies, requestOf(catalogue, n), n);
export const ordinaryCall = (policies, catalogue, n) =>
  recorded(policies, ordinaryRequestOf(catalogue, n), n);

function recorded(policies, request, n) {
  const { agent, tool, dataset, action, task, now } = request;
  const { decision, code, checks, inputs, inputsDigest } = policies.decideCall(request);
  return {
    decided: {
      ...{ taskId: task.taskId, generation: 1, actor: '//mayfly/broker' },
      ...{ at: new Date(now.atMs).toISOString(), callId: uuid(n), agent, tool, action },
      ...(dataset === undefined ? {} : { dataset }),
      ...{ decision, checks: [{ check: 'task_live', ok: true }, ...checks], policySet: policies.digest },
      ...(code === undefined ? {} : { code }),
      ...{ inputs: inputsDigest, obligations: { ttlMs: null, approval: null } },
      ...{ callDigest: `sha256:${'0'.repeat(64)}`, proofKey: 'thumbprint' },
    },
    inputs,
  };
}

/** The `ce_id` under which a broker would have told of the nth call. */
export const eventIdOf = (n) => uuid(n, '9');

/** Into a broker's database, as its streams have them. @param first the n of the first */
export async function keepCalls(pool, calls, first = 0) {
  await pool.query(
    `INSERT INTO decision_input (digest, inputs) SELECT * FROM unnest($1::text[], $2::jsonb[]) ON CONFLICT DO NOTHING`,
    [calls.map(({ decided }) => decided.inputs), calls.map(({ inputs }) => JSON.stringify(inputs))],
  );
  await pool.query(
    `INSERT INTO event (stream, version, type, data, ce_id, recorded_at)
       SELECT 'task', $3 + n, 'call.decided', data, id, now() - interval '1 hour' + ($3 + n) * interval '1 millisecond'
         FROM unnest($1::jsonb[], $2::text[]) WITH ORDINALITY AS d(data, id, n)`,
    [calls.map(({ decided }) => JSON.stringify(decided)), calls.map((_, i) => eventIdOf(first + i)), first],
  );
}

/** One rule of the sample, changed: the text of `guards.cedar` with a drift of 60 where 80 was. */
export const withLessDrift = (guards) => guards.replace('context.now.drift > 80', 'context.now.drift > 60');

/** Does that turn the call? Told from its facts alone, by what the sample's policies say in words. */
export function flipsWithLessDrift(request) {
  const { drift } = request.now;
  return drift > 60 && drift <= 80 && mayUseTool(request) && mayUseData(request) && isInTime(request);
}

const isOneOf = (agent, ...names) => names.some((name) => agent.endsWith(`/${name}`));

function mayUseTool({ agent, tool, action, task }) {
  if (tool === 'sql.query') return isOneOf(agent, 'analyst', 'executor');
  if (tool === 'mail.send') return isOneOf(agent, 'analyst', 'executor') && task.risk !== 'high';
  return action === 'read' || isOneOf(agent, 'executor');
}

function mayUseData({ agent, dataset, action, task }) {
  if (dataset === 'hr.salaries') return false;
  if (dataset === 'crm.customers') return isOneOf(agent, 'analyst') && task.risk !== 'high';
  if (dataset === 'crm.orders') return isOneOf(agent, 'analyst', 'executor');
  return dataset === undefined || action === 'read' || isOneOf(agent, 'executor');
}

/** Within what the task may use up; and of its writes: not too deep, and not at the last moment. */
function isInTime({ dataset, action, task, now }) {
  if (now.calls >= task.maxCalls || now.rows >= task.maxRows) return false;
  return (
    dataset === undefined || action === 'read' || (task.depth <= 3 && task.deadlineMs - now.atMs >= 10_000)
  );
}
