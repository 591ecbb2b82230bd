import type { BusRecord } from '#bus/bus.js';
import { REVOCATIONS } from '#events/topics.js';
import { logged } from '../../spec/logged.js';
import { ANALYST, common, LEASE, TASK, World } from '../../spec/world.js';
import { tellStory } from './story.js';

let world: World;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());
const logOf = (records: readonly BusRecord[]) => logged(world, records);

it('tells a suspension, what it costs, and that the task goes on', async () => {
  const suspension = { ...common, generation: 2, cause: 'parked' };
  const revocation = { seq: 1, what: 'task', id: TASK, reason: 'parked' };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'task.suspended', suspension),
    world.wrote(
      'revoker',
      'revocation',
      { ...revocation, generationBelow: 2 },
      { topic: REVOCATIONS, key: `task:${TASK}` },
    ),
    world.wrote('broker', 'task.resumed', suspension),
    world.wrote(
      'revoker',
      'revocation',
      { ...revocation, generationBelow: null },
      { topic: REVOCATIONS, key: `task:${TASK}` },
    ),
  ]);

  expect(tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line)).toEqual([
    'the task is suspended (parked), generation 2',
    'verifiers are told that what the task got before generation 2 is dead',
    'the task goes on after its suspension (parked)',
    'verifiers are told that the task is dead',
  ]);
});

it('tells who stopped a task and let it go on, why, and who might not', async () => {
  const said = { ...common, actor: 'user:nadia@corp.example', generation: 2, reason: 'odd hours' };
  const rejected = { ...said, by: said.actor, order: 'resume', code: 'ERR_APPROVER_INVOLVED' };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'task.suspended', { ...said, cause: 'operator' }),
    world.wrote('broker', 'task.order_rejected', rejected),
    world.wrote('broker', 'task.resumed', { ...said, cause: 'operator' }),
    world.wrote('broker', 'task.resumed', { ...said, cause: 'drift' }),
  ]);
  const person = /person [\w-]{8}…/g;

  expect(
    tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line.replace(person, 'nadia')),
  ).toEqual([
    'nadia suspends the task, generation 2: “odd hours”',
    'nadia may not resume the task: ERR_APPROVER_INVOLVED',
    'nadia lets the task go on after its suspension (operator): “odd hours”',
    'nadia lets the task go on after its suspension (drift): “odd hours”',
  ]);
});

it('tells what an operator had cut, and what of it is proven', async () => {
  const said = {
    ...common,
    actor: 'user:nadia@corp.example',
    by: 'user:nadia@corp.example',
    reason: 'stolen',
  };
  const order = { orderId: 'o-1', scope: 'task', subject: TASK };
  const { entries, payloads } = await logOf([
    world.wrote('revoker', 'revocation.ordered', { ...said, ...order, generationBelow: 2 }),
    world.wrote('broker', 'task.revoked', { ...said, generation: 2, orderId: 'o-1' }),
    world.wrote('revoker', 'revocation.proven', { ...common, ...order, leases: 3 }),
  ]);
  const person = /person [\w-]{8}…/g;

  expect(
    tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line.replace(person, 'nadia')),
  ).toEqual([
    `nadia orders to revoke the task ${TASK}: “stolen”`,
    'what the task was lent is revoked by nadia, generation 2: “stolen”',
    `the order to revoke the task ${TASK} is carried out, and proven; leases: 3`,
  ]);
});

it('tells what drifted and how far, and who let the task go on', async () => {
  const signal = { agent: ANALYST, signal: 'dataset_creep', weight: 25, score: 100, count: 4 };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'drift.signalled', { ...common, ...signal }),
    world.wrote('broker', 'task.suspended', { ...common, generation: 2, cause: 'drift' }),
    world.wrote('broker', 'task.resumed', {
      ...common,
      ...{ generation: 2, cause: 'drift', actor: 'user:olga@corp.example', reason: 'Olga saw it' },
    }),
  ]);

  expect(tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line)).toEqual([
    'agent/analyst drifts from the task: dataset_creep, 4 so far; score 100 of 100',
    'the task is suspended (drift), generation 2',
    expect.stringMatching(
      /^person [\w-]{8}… lets the task go on after its suspension \(drift\): “Olga saw it”$/,
    ),
  ]);
  // Commitments are random letters: a name by itself stands there now and then.
  expect(entries.map(({ leaf }) => leaf.toString()).join()).not.toMatch(/olga@corp|Olga saw/);
});

it('tells amendments, with what they changed, and those that were refused', async () => {
  const declared = [{ tool: 'sql.query', dataset: 'crm.customers', actions: ['read'] }];
  const amended = { ...common, generation: 2, declared, deadline: '2026-11-24T19:50:00.000Z' };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'task.amended', { ...amended, cause: 'amended' }),
    world.wrote('broker', 'task.amended', { ...amended, generation: 3, cause: 'rekeyed', rekeyed: ANALYST }),
    world.wrote('broker', 'task.amendment_refused', { ...common, code: 'ERR_TOOL_UNKNOWN', reason: '' }),
    world.wrote('broker', 'task.ended', { ...common, outcome: 'parent_ended' }),
  ]);

  expect(tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line)).toEqual([
    'the task is amended, generation 2: sql.query/crm.customers read; until 2026-11-24T19:50:00.000Z',
    'the task is amended, generation 3; agent/analyst goes on with another key',
    'the amendment is refused: ERR_TOOL_UNKNOWN',
    'the task is over: parent_ended',
  ]);
});

it('tells what was found at a target that no lease explains, and names no account of others', async () => {
  const found = { ...common, target: 'shop', provider: 'postgres', principal: 'maria_old' };
  const reaches = [
    { dataset: 'crm.orders', actions: ['read'] },
    { dataset: 'hr.salaries', actions: ['read'] },
  ];
  const orphan = { ...common, leaseId: LEASE, target: 'shop', principal: 'ksmp01' };
  const { entries, payloads } = await logOf([
    world.wrote('revoker', 'orphan.found', orphan),
    world.wrote('revoker', 'orphan.cut', { ...orphan, exposureMs: 31 }),
    world.wrote('revoker', 'target.restarted', {
      ...{ ...common, target: 'shop', provider: 'postgres' },
      ...{ incarnation: '7.2', previous: '7.1' },
    }),
    world.wrote('revoker', 'standing_access.found', {
      ...{ ...found, reaches, ways: ['grant', 'public'], neverExpires: true, owners: ['maria@corp.example'] },
    }),
    world.wrote('revoker', 'standing_access.gone', { ...found, why: 'no_access' }),
    world.wrote('revoker', 'standing_access.gone', {
      ...{ ...found, why: 'allowed', reason: 'Maria needs it', review: '2027-10-31' },
    }),
  ]);
  const person = /person [\w-]{8}…/g;

  expect(
    tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line.replace(person, 'somebody')),
  ).toEqual([
    'a principal that no lease explains is found at shop: ksmp01',
    'its access is proven cut, 31 ms after it was found at shop: ksmp01',
    'the target shop was started again, or restored: what is there is compared with the ledger',
    'somebody can reach crm.orders, hr.salaries at shop without a lease: grant, public, never expires',
    'somebody can reach nothing that is governed at shop any more',
    'somebody may be at shop without a lease until 2027-10-31: “Maria needs it”',
  ]);
  expect(entries.map(({ leaf }) => leaf.toString()).join()).not.toMatch(/maria@corp|Maria needs/);
});

it('tells which policies became others, and that the login who changed them is a person', async () => {
  const activated = { ...common, policySet: 'sha256:b', previous: 'sha256:a', policies: 19, by: 'os:maria' };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'policy.activated', {
      ...activated,
      ...{ added: ['guard.new', 'guard.other'], removed: [], changed: ['data.read'] },
    }),
    world.wrote('broker', 'policy.activated', { ...activated, added: [], removed: [], changed: [] }),
  ]);

  expect(tellStory(TASK, entries, payloads, false).steps.map(({ line }) => line)).toEqual([
    expect.stringMatching(
      /^19 policies decide from now on: added guard\.new, guard\.other; changed data\.read \(person [\w-]{8}…\)$/,
    ),
    expect.stringMatching(/^19 policies decide from now on: the schema is another \(person [\w-]{8}…\)$/),
  ]);
});

it('tells what is different in the catalogue, and names no operator', async () => {
  const activated = { ...common, catalogue: 'sha256:b', previous: 'sha256:a', by: 'os:maria' };
  const counts = { orchestrators: 1, operators: 2, agents: 3, tools: 4, datasets: 4, targets: 4 };
  const none = { added: [], removed: [], changed: [] };
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'catalogue.activated', {
      ...activated,
      entries: counts,
      changes: {
        operators: { ...none, removed: ['user:olga@corp.example', 'spiffe://dev.mayfly/operator/dev'] },
        agents: { ...none, added: ['spiffe://dev.mayfly/agent/new'], more: 12 },
        datasets: { ...none, changed: ['crm.orders'] },
      },
    }),
  ]);

  const { steps, text } = tellStory(TASK, entries, payloads, false);

  expect(steps[0]?.line).toMatch(
    /^another catalogue is gone by from now on: operators: removed person [\w-]{8}…, person [\w-]{8}…; agents: added agent\/new; and 12 more; datasets: changed crm\.orders \(person [\w-]{8}…\)$/,
  );
  expect(text + entries[0]?.leaf.toString()).not.toMatch(/olga|operator\/dev/);
});
