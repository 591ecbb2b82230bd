import type { BusRecord } from '#bus/bus.js';
import { logged } from '../../spec/logged.js';
import { ANALYST, CALL, common, LEASE, ORCHESTRATOR, started, TASK, World } from '../../spec/world.js';
import { inOrder } from './order.js';
import { tellStory } from './story.js';

let world: World;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());
const logOf = (records: readonly BusRecord[]) => logged(world, records);

const decided = {
  ...common,
  callId: CALL,
  agent: ANALYST,
  tool: 'sql.query',
  dataset: 'hr.salaries',
  action: 'read',
  decision: 'deny',
  code: 'ERR_DATASET_FORBIDDEN',
  checks: [
    { check: 'tool_policy', ok: true, policies: ['analysts-query'] },
    { check: 'dataset_policy', ok: false, policies: ['salaries-are-restricted'] },
  ],
};

it('tells a task in sentences, with who was proved to have said what', async () => {
  const { entries, payloads } = await logOf([
    await world.said('task.started', started, ORCHESTRATOR),
    world.wrote('broker', 'call.decided', decided),
    world.wrote('revoker', 'lease.access_cut', {
      ...common,
      leaseId: LEASE,
      cause: 'task_ended',
      exposureMs: 11,
      evidence: { state: 'disabled', sessionsEnded: 1, observations: 2 },
    }),
  ]);

  const { steps, text } = tellStory(TASK, entries, payloads, false);

  expect(steps.map(({ by, line }) => [by, line])).toEqual([
    [
      ORCHESTRATOR,
      expect.stringMatching(
        /^orchestrator\/sample declares the task “Reconcile the invoices of Wanda Quixote” for person [\w-]{8}…: sql\.query\/crm\.orders read; risk low; until 2026-11-24T19:45:00\.000Z$/,
      ),
    ],
    [
      'broker',
      'deny: agent/analyst may read hr.salaries with sql.query (ERR_DATASET_FORBIDDEN; dataset_policy by salaries-are-restricted)',
    ],
    [
      'revoker',
      'the access is cut 11 ms after its cause (task_ended): seen disabled 2 times, sessions ended: 1',
    ],
  ]);
  expect(text.split('\n')[1]).toMatch(/^2026-11-24 19:31:00\.001Z {2}#1 {2}deny: /);
  expect(steps[2]).toMatchObject({ seq: 2, type: 'lease.access_cut', proof: '/v1/entries/2/proof' });
});

it('says that a purpose was erased, and goes on', async () => {
  const { entries } = await logOf([await world.said('task.started', started, ORCHESTRATOR)]);

  expect(tellStory(TASK, entries, new Map(), false).text).toContain('declares the task (erased) for person');
});

it('tells a record once that was sent twice', async () => {
  const id = world.id();
  const { entries, payloads } = await logOf([
    world.wrote('broker', 'task.accepted', common, { id }),
    world.wrote('broker', 'task.accepted', common, { id }),
  ]);

  expect(tellStory(TASK, entries, payloads, false).steps).toHaveLength(1);
});

it('has a line for a type that it does not know', async () => {
  const { entries, payloads } = await logOf([world.wrote('broker', 'something.new', common)]);

  expect(tellStory(TASK, entries, payloads, false).steps[0]?.line).toBe('broker: something.new');
});

describe('the order', () => {
  const step = (seq: bigint, appendedAtMs: number, id: string, causedBy?: string) => ({
    seq,
    appendedAtMs,
    id,
    causedBy,
  });
  const ids = (steps: readonly { id: string }[]) => steps.map(({ id }) => id).join(' ');

  it('is the time of append, not of arrival', () => {
    expect(ids(inOrder([step(0n, 20, 'b'), step(1n, 10, 'a')]))).toBe('a b');
  });

  it('tells no effect before its cause, though its clock was behind', () => {
    const steps = [
      step(0n, 8, 'decided', 'called'),
      step(1n, 9, 'issued', 'decided'),
      step(2n, 10, 'called'),
    ];
    expect(ids(inOrder(steps))).toBe('called decided issued');
  });

  it('is not led astray by events that name each other as causes', () => {
    const steps = [step(0n, 5, 'a', 'b'), step(1n, 5, 'b', 'a'), step(2n, 5, 'c', 'c')];
    expect(inOrder(steps)).toHaveLength(3);
  });
});
