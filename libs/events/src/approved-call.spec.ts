import {
  after,
  answered,
  approvals,
  ask,
  granted,
  LEASE,
  MARIA,
  OLGA,
  people,
  requested,
} from '../test/approving.js';
import { ANALYST, call, callFacts, HASH, judge, NOW, openTask, sender, TASK } from '../test/fixture.js';
import { consumedBy, type Approval } from './approval.js';
import { decideCall } from './call.js';
import type { ToolCalled } from './inbound.js';

describe('a call that needs people', () => {
  it('asks for them, bound to its digest, its task and a time', () => {
    expect(ask().requested?.data).toMatchObject({
      approvalId: 'approval-1',
      callDigest: `sha256:${HASH}`,
      lineage: [{ taskId: TASK, generation: 1 }],
      approval: 'one-person',
      needed: 1,
      notBy: ['data', MARIA],
      expiresAt: new Date(NOW + 900_000).toISOString(),
      binds: { what: 'these_rights', rights: ['pol_orders_read'], seconds: 600 },
      reasons: ['why'],
    });
    expect(ask()).toMatchObject({ intended: null, refusal: { code: 'ERR_APPROVAL_REQUIRED' } });
  });

  it('never waits beyond the deadline of its task', () => {
    const deadline = new Date(NOW + 60_000).toISOString();
    expect(ask('one-person', { facts: { task: openTask({ deadline }) } }).requested?.data.expiresAt).toBe(
      deadline,
    );
  });

  it.each([
    ['one-person', 1],
    ['two-person', 2],
    ['a word that is not known yet', 2],
  ])('%s is %i people', (approval, needed) => expect(requested(approval).requested.needed).toBe(needed));

  it('is truly bound where a token says its arguments, and is so many seconds of rights otherwise', () => {
    const targets = new Map([
      ['shop', { id: 'shop', provider: 'jwt' as const, maxTtlMs: 600_000, audience: 'http://127.0.0.1' }],
    ]);
    const change = { argumentsSha256: HASH, ttlMs: 90_000 };
    const tokens = { facts: { catalogue: { ...people, targets } }, change };

    expect(requested('one-person', tokens).requested.binds).toMatchObject({
      what: 'this_call',
      argumentsSha256: HASH,
    });
    expect(requested('one-person', { change }).requested.binds).toMatchObject({
      what: 'these_rights',
      seconds: 90,
    });
  });

  it('asks nobody where nothing waits, where it was asked before, and where too many of its agent wait', () => {
    expect(ask('one-person', { facts: { approvals: undefined as never } }).requested).toBeNull();
    expect(ask('one-person', { given: { given: requested() } }).requested).toBeNull();
    expect(ask('one-person', { given: { openOfAgent: 2 } })).toMatchObject({
      requested: null,
      refusal: { code: 'ERR_APPROVAL_FLOOD' },
      decided: { data: { decision: 'approval_required', code: 'ERR_APPROVAL_FLOOD' } },
    });
  });
});

describe('an approved call', () => {
  const permitted = (given: Approval, change: object = {}, called: Partial<ToolCalled> = {}) => {
    const asked: unknown[] = [];
    const result = decideCall(
      call(called),
      sender(ANALYST),
      callFacts({
        catalogue: people,
        approvals: approvals({ given }),
        judge: {
          ...judge(),
          decideCall: (question) => (asked.push(question.now), judge().decideCall(question)),
        },
        ...change,
      }),
    );
    return { result, now: asked[0] };
  };

  it('is decided with its approvers, and is not counted twice', () => {
    const task = { ...openTask(), usage: { calls: 1, refused: 1, rows: 0, recentCallsMs: [NOW] } };

    expect(permitted(granted(requested(), OLGA), { task }).now).toMatchObject({
      approval: 'approved',
      approvers: [OLGA],
      calls: 0,
    });
  });

  it('is not held up by its own rate, and is by that of others', () => {
    const asked = (recentCallsMs: number[], nowMs: number) => {
      const usage = { calls: recentCallsMs.length, refused: 1, rows: 0, recentCallsMs };
      const task = { ...openTask(), usage };
      return permitted(granted(requested(), OLGA), { task, nowMs }).now;
    };

    expect(asked([NOW], NOW + 1_000)).toMatchObject({ callsLastMinute: 0 });
    expect(asked([NOW, NOW + 500], NOW + 1_000)).toMatchObject({ callsLastMinute: 1 });
    expect(asked([NOW, NOW + 500], NOW + 60_000)).toMatchObject({ callsLastMinute: 1 });
  });

  it.each([
    ['another call', { sha256Hex: () => 'b'.repeat(64) }],
    ['after its time', { nowMs: NOW + 900_000 }],
  ])('%s is decided without', (_what, change) =>
    expect(permitted(granted(requested(), OLGA), change).now).toMatchObject({
      approval: 'none',
      approvers: [],
    }),
  );

  it('is decided without, while one of two is missing', () =>
    expect(permitted(granted(requested('two-person'), OLGA)).now).toMatchObject({ approval: 'none' }));

  it('whose lease was abandoned may have another for the same approval, also after its time', () => {
    const used = after(granted(requested(), OLGA), consumedBy(requested(), LEASE, NOW));

    expect(permitted(used, { nowMs: NOW + 1_000_000 }).now).toMatchObject({ approval: 'approved' });
  });

  it('that was withdrawn is decided without', () => {
    const approval = granted(requested(), OLGA);
    const withdrawn = after(approval, ...answered(approval, { is: 'withdraw', by: OLGA }).events);

    expect(permitted(withdrawn).now).toMatchObject({ approval: 'none' });
  });
});
