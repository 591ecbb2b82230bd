import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { ANALYST, CALL, common, World } from '../../spec/world.js';
import { checkDecisions } from './check-decisions.js';

const ID = '01928c5e-0000-7000-8000-0000000000aa';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const decided = {
  ...common,
  ...{ callId: CALL, agent: ANALYST, tool: 'sql.query', dataset: 'crm.orders', action: 'read' },
  ...{ decision: 'permit', policySet: digest('1'), inputs: digest('2'), callDigest: digest('3') },
  checks: [{ check: 'tool_policy', ok: true, policies: ['tools.warehouse'], reason: 'analysts may' }],
  obligations: { ttlMs: 300_000, approval: null },
  proofKey: 'thumbprint',
};

let world: World;
let log: LogDatabase;
beforeAll(async () => {
  [world, log] = await Promise.all([World.open(), freshLogDatabase()]);
  const told = world.wrote('broker', 'call.decided', decided, { id: ID });
  await ingesting(log.runtime, world).onBatch([told]);
});
afterAll(() => Promise.all([log.drop(), world.close()]));

const check = (id: string, data: Record<string, unknown>) =>
  checkDecisions(log.runtime.pool, [{ id, data }], world.keys);

it('confirms a decision that is kept as it was told, in whatever order its members are', async () => {
  const turned = Object.fromEntries(Object.entries(decided).reverse());
  expect(await check(ID, decided)).toEqual({ absent: [], differ: [] });
  expect(await check(ID, turned)).toEqual({ absent: [], differ: [] });
});

it.each([
  ['the digest of its inputs', { inputs: digest('4') }],
  ['the decision', { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' }],
  ['what was checked', { checks: [{ check: 'tool_policy', ok: false }] }],
  ['whose it was', { agent: 'spiffe://dev.mayfly/agent/planner' }],
  ['the policies of its time', { policySet: digest('5') }],
])('finds that somebody changed %s', async (_what, changed) => {
  expect(await check(ID, { ...decided, ...changed })).toEqual({ absent: [], differ: [ID] });
});

it('finds that inputs were taken away, or given to what policy never saw', async () => {
  const { inputs: _gone, ...without } = decided;
  expect(await check(ID, without)).toEqual({ absent: [], differ: [ID] });
});

it('does not have what was never told', async () => {
  const other = '01928c5e-0000-7000-8000-0000000000ab';
  expect(await check(other, decided)).toEqual({ absent: [other], differ: [] });
});

it('takes nobody’s word but the broker’s', async () => {
  const id = '01928c5e-0000-7000-8000-0000000000ac';
  await ingesting(log.runtime, world).onBatch([world.wrote('revoker', 'call.decided', decided, { id })]);
  expect(await check(id, decided)).toEqual({ absent: [id], differ: [] });
});
