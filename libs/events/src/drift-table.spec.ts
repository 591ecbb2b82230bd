import fc from 'fast-check';
import { ANALYST, CALL, LEASE, PLANNER, TASK } from '../test/fixture.js';
import { driftTable, type DriftEvent, type DriftRow } from './drift-table.js';
import type { EventOf } from './outbound.js';
import type { UsageReported } from './task.js';

const READ = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' };
const declared = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] }];
const VERIFIER = 'spiffe://dev.mayfly/tool/sql';
const common = { taskId: TASK, generation: 1, actor: '//mayfly/broker', at: '2026-11-24T12:00:00.000Z' };

type Decided = EventOf<'call.decided'>['data'];
const decided = (change: Partial<Decided> = {}): DriftEvent => ({
  type: 'call.decided',
  data: {
    ...{ ...common, callId: CALL, agent: ANALYST, ...READ, decision: 'permit', checks: [] },
    ...{ policySet: 'sha256:p', obligations: { ttlMs: null, approval: null }, callDigest: 'sha256:c' },
    ...{ proofKey: 'key', ...change },
  },
});
const issued = (leaseId = LEASE): DriftEvent => ({
  type: 'lease.issued',
  data: { ...common, leaseId, callId: CALL, agent: ANALYST, notAfter: common.at, incarnation: 'one' },
});
const abandoned = (leaseId = LEASE): DriftEvent => ({
  type: 'lease.abandoned',
  data: { ...common, leaseId, callId: CALL, answered: true, why: 'no_answer' },
});
const reported = (change: Partial<UsageReported['data']> = {}): DriftEvent => ({
  type: 'task.usage_reported',
  data: { id: ANALYST, keyThumbprint: 'key', ceId: 'ce', rows: 0, callId: CALL, outcome: 'ok', ...change },
});

const REFUSED = { refused: 1 };
const NONE = { requested: 0, granted: 0, refused: 0, waiting: 0, used: 0, rows: 0 };
const tableOf = (...events: DriftEvent[]) => driftTable({ declared }, events);
/** The row of reads by the analyst. */
const reads = (...events: DriftEvent[]): DriftRow | undefined =>
  tableOf(...events).rows.find(({ agent, action }) => agent === ANALYST && action === 'read');

describe('what is declared', () => {
  it('is there before anybody asks, once for all agents', () => {
    expect(tableOf().rows).toEqual([
      { ...READ, declared: true, ...NONE },
      { ...READ, action: 'write', declared: true, ...NONE },
    ]);
  });

  it('is there for each agent that it is declared for', () => {
    const { rows } = driftTable(
      { declared: [{ tool: 'mail.send', actions: ['send'], agents: [PLANNER, ANALYST] }] },
      [],
    );

    expect(rows).toEqual([
      { agent: ANALYST, tool: 'mail.send', action: 'send', declared: true, ...NONE },
      { agent: PLANNER, tool: 'mail.send', action: 'send', declared: true, ...NONE },
    ]);
  });

  it('is the row of whoever asks for it', () => {
    expect(tableOf(decided()).rows).toEqual([
      { agent: ANALYST, ...READ, declared: true, ...NONE, requested: 1, waiting: 1 },
      { ...READ, action: 'write', declared: true, ...NONE },
    ]);
  });
});

it('shows what was asked for outside the declaration', () => {
  const { rows } = tableOf(
    decided({ dataset: 'hr.salaries', decision: 'deny' }),
    decided({ callId: LEASE, dataset: 'hr.salaries', decision: 'deny' }),
  );

  expect(rows).toContainEqual({
    ...{ agent: ANALYST, ...READ, dataset: 'hr.salaries', declared: false },
    ...{ ...NONE, requested: 2, refused: 2 },
  });
});

it('shows what is declared for another agent as not declared', () => {
  const { rows } = driftTable({ declared: declared.map((each) => ({ ...each, agents: [PLANNER] })) }, [
    decided({ decision: 'deny' }),
  ]);

  expect(rows.find(({ agent }) => agent === ANALYST)).toMatchObject({ declared: false, requested: 1 });
  expect(rows.filter(({ agent }) => agent === PLANNER)).toMatchObject([
    { action: 'read', declared: true, requested: 0 },
    { action: 'write', declared: true, requested: 0 },
  ]);
});

describe('a call', () => {
  it.each<[string, DriftEvent[], Partial<DriftRow>]>([
    ['is granted once it came to a credential', [decided({ leaseId: LEASE }), issued()], { granted: 1 }],
    ['is refused where its lease was abandoned', [decided({ leaseId: LEASE }), abandoned()], { refused: 1 }],
    [
      'is granted by its second lease, and counts once',
      [decided({ leaseId: 'l1' }), abandoned('l1'), decided({ leaseId: LEASE }), issued()],
      { granted: 1 },
    ],
    ['waits for people', [decided({ decision: 'approval_required' })], { waiting: 1 }],
    [
      'is granted once people said yes',
      [decided({ decision: 'approval_required' }), decided({ leaseId: LEASE }), issued()],
      { granted: 1 },
    ],
    ['is refused by people', [decided({ decision: 'approval_required' }), no('approval.refused')], REFUSED],
    ['is refused where nobody answered', [decided({ decision: 'approval_required' }), no()], REFUSED],
    [
      'was granted, also where its approval was withdrawn later',
      [decided({ leaseId: LEASE }), issued(), no('approval.withdrawn')],
      { granted: 1 },
    ],
  ])('%s', (_what, events, expected) => {
    expect(reads(...events)).toMatchObject({ ...NONE, requested: 1, ...expected });
  });

  it('of the same id by another agent is another call', () => {
    const { rows } = tableOf(decided(), decided({ agent: PLANNER }));

    expect(rows.filter(({ requested }) => requested === 1).map(({ agent }) => agent)).toEqual([
      ANALYST,
      PLANNER,
    ]);
  });
});

/** Its approval came to nothing. */
function no(type: 'approval.refused' | 'approval.expired' | 'approval.withdrawn' = 'approval.expired') {
  const data = { ...common, approvalId: 'a', callId: CALL, agent: ANALYST, by: 'user:x@corp.example' };
  return { type, data: { ...data, why: 'time' as const } } as DriftEvent;
}

describe('use', () => {
  const granted = [decided({ leaseId: LEASE }), issued()];

  it('is counted once for each call, with all rows that were reported', () => {
    expect(reads(...granted, reported({ rows: 40 }), reported({ rows: 2 }))).toMatchObject({
      ...{ requested: 1, granted: 1, used: 1, rows: 42 },
    });
  });

  it.each<[string, Partial<UsageReported['data']>]>([
    ['by its lease, whatever call the tool was told', { id: VERIFIER, leaseId: LEASE, callId: 'other' }],
    ['by the only call of this id', { id: VERIFIER }],
  ])('is known from a tool %s', (_how, change) => {
    expect(reads(...granted, reported({ rows: 3, ...change }))).toMatchObject({ used: 1, rows: 3 });
  });

  it('is none where the tool refused it', () => {
    expect(reads(...granted, reported({ outcome: 'refused' }))).toMatchObject({ granted: 1, used: 0 });
  });

  it('is not ascribed to a call where it could be that of two', () => {
    const table = tableOf(...granted, decided({ agent: PLANNER }), reported({ id: VERIFIER, rows: 5 }));

    expect(table.rows.map(({ used }) => used)).toEqual([0, 0, 0]);
    expect(table.unattributed).toEqual({ reports: 1, rows: 5 });
  });

  it('is told beside the table where its report names no call, as those of earlier releases', () => {
    const { callId: _callId, ...before } = { ...(reported({ rows: 7 }) as UsageReported).data };
    const table = tableOf(...granted, { type: 'task.usage_reported', data: before });

    expect(table.unattributed).toEqual({ reports: 1, rows: 7 });
    expect(table.rows.map(({ rows }) => rows)).toEqual([0, 0]);
  });
});

it('counts every call exactly once, and loses no row, whatever happens to the calls in whatever order', () => {
  const agents = [ANALYST, PLANNER];
  const event = fc.oneof(
    fc
      .record({
        callId: fc.constantFrom('c1', 'c2', 'c3', 'c4'),
        agent: fc.constantFrom(...agents),
        decision: fc.constantFrom('permit' as const, 'deny' as const, 'approval_required' as const),
        leaseId: fc.constantFrom('l1', 'l2', 'l3'),
      })
      // What a call is for never changes under its id.
      .map((call) => decided({ ...call, action: call.callId === 'c4' ? 'drop' : 'read' })),
    fc.constantFrom('l1', 'l2', 'l3', 'l4').chain((id) => fc.constantFrom(issued(id), abandoned(id))),
    fc.constantFrom(no(), no('approval.refused'), no('approval.withdrawn')),
    fc
      .record({
        id: fc.constantFrom(...agents, VERIFIER),
        callId: fc.constantFrom('c1', 'c2', 'c5'),
        leaseId: fc.constantFrom('l1', 'l4'),
        rows: fc.nat({ max: 9 }),
      })
      .map(reported),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), (events) => {
      const { rows, unattributed } = tableOf(...events);
      const calls = new Set(
        events.flatMap(({ type, data }) => (type === 'call.decided' ? [`${data.agent} ${data.callId}`] : [])),
      );
      const told = events.reduce(
        (sum, { type, data }) => sum + (type === 'task.usage_reported' ? data.rows : 0),
        0,
      );
      const sum = (of: (row: DriftRow) => number) => rows.reduce((total, row) => total + of(row), 0);

      expect(sum(({ requested }) => requested)).toBe(calls.size);
      for (const row of rows) {
        expect(row.granted + row.refused + row.waiting).toBe(row.requested);
        expect(row.used).toBeLessThanOrEqual(row.requested);
      }
      expect(sum(({ rows: each }) => each) + unattributed.rows).toBe(told);
      expect(
        new Set(rows.map((row) => JSON.stringify([row.agent, row.tool, row.dataset, row.action]))).size,
      ).toBe(rows.length);
    }),
    { numRuns: 1_000 },
  );
});
