import {
  ANALYST,
  call,
  callFacts,
  catalogue,
  HASH,
  judge,
  NOW,
  openTask,
  sender,
  TASK,
} from '../test/fixture.js';
import {
  approvalOf,
  approversOf,
  consumedBy,
  decideAnswer,
  evolveApproval,
  isApproved,
  lapseOf,
  type Answer,
  type AnswerFacts,
  type Approval,
  type ApprovalEvent,
} from './approval.js';
import { decideCall } from './call.js';
import type { Catalogue } from './catalogue.js';
import type { ApprovalFacts } from './approval-facts.js';
import type { ToolCalled } from './inbound.js';
import { evolve, type Task } from './task.js';

const OLGA = 'user:olga@corp.example';
const PAVEL = 'user:pavel@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';
const ROBOT = 'spiffe://dev.mayfly/operator/approver';
const LEASE = 'lease-1';

const people: Catalogue = {
  ...catalogue,
  operators: new Map([
    [OLGA, { id: OLGA, roles: ['approver'], groups: ['finance'] }],
    [PAVEL, { id: PAVEL, roles: ['approver'], groups: [] }],
    [MARIA, { id: MARIA, roles: ['approver', 'operator'] }],
    [NADIA, { id: NADIA, roles: ['operator'] }],
    [ROBOT, { id: ROBOT, roles: ['approver', 'operator'] }],
  ]),
};
const asks = (approval: string) =>
  judge({
    call: {
      decision: 'approval_required',
      obligations: { ttlMs: null, approval, rowFilters: [] },
      reasons: ['why'],
    },
  });
const approvals = (change: Partial<ApprovalFacts> = {}): ApprovalFacts => ({
  rules: { expiresMs: 900_000, maxOpenPerAgent: 2 },
  newApprovalId: 'approval-1',
  openOfAgent: 0,
  given: null,
  ...change,
});

function ask(
  approval = 'one-person',
  {
    facts = {},
    change = {},
    given = {},
  }: {
    facts?: Partial<Parameters<typeof callFacts>[0]>;
    change?: Partial<ToolCalled>;
    given?: Partial<ApprovalFacts>;
  } = {},
) {
  const result = decideCall(
    call(change),
    sender(ANALYST),
    callFacts({ catalogue: people, judge: asks(approval), approvals: approvals(given), ...facts }),
  );
  if (result.is === 'rejected') throw new Error(result.refusal.code);
  return result;
}

function requested(approval = 'one-person', options: Parameters<typeof ask>[1] = {}): Approval {
  const event = ask(approval, options).requested;
  if (event === null) throw new Error('nothing was requested');
  return approvalOf(event);
}

const facts = (change: Partial<AnswerFacts> = {}): AnswerFacts => ({
  catalogue: people,
  chain: [openTask()],
  policySet: 'sha256:policy',
  mayApprove: () => true,
  leaseId: null,
  nowMs: NOW + 1_000,
  ...change,
});
const grant = (by: string, change: object = {}): Answer => ({
  is: 'grant',
  by,
  callDigest: `sha256:${HASH}`,
  ...change,
});
const after = (approval: Approval, ...events: ApprovalEvent[]) => events.reduce(evolveApproval, approval);
const answered = (approval: Approval, answer: Answer, change: Partial<AnswerFacts> = {}) =>
  decideAnswer(approval, answer, facts(change));
const codeOf = (...args: Parameters<typeof answered>) => {
  const result = answered(...args);
  return result.is === 'rejected' ? result.refusal.code : result.events.map(({ type }) => type).join();
};
const granted = (approval: Approval, ...by: string[]) =>
  by.reduce((so, each) => after(so, ...answered(so, grant(each)).events), approval);

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

describe('a grant', () => {
  it('by as many people as are needed approves; the same person counts once', () => {
    const two = requested('two-person');
    const one = granted(two, OLGA, OLGA);

    expect(one.grants).toEqual([OLGA]);
    expect(isApproved(one)).toBe(false);
    expect(answered(one, grant(OLGA))).toEqual({ is: 'taken', events: [] });
    expect(isApproved(granted(one, PAVEL))).toBe(true);
  });

  it.each([
    ['a stranger', 'user:eve@corp.example', {}, 'ERR_NOT_ENTITLED'],
    ['an operator who is no approver', NADIA, {}, 'ERR_NOT_ENTITLED'],
    ['a service with the role', ROBOT, {}, 'ERR_NOT_ENTITLED'],
    ['the person for whom the task runs', MARIA, {}, 'ERR_APPROVER_INVOLVED'],
    ['somebody for another digest', OLGA, { callDigest: 'sha256:other' }, 'ERR_APPROVAL_MISMATCH'],
  ])('of %s is rejected', (_who, by, change, code) =>
    expect(codeOf(requested(), grant(by, change))).toBe(code),
  );

  it('of the owner of the agent or the orchestrator is rejected: they ask', () => {
    const owned = (owner: string) => ({
      ...people,
      agents: new Map([[ANALYST, { ...people.agents.get(ANALYST)!, owner }]]),
    });
    const approval = requested('one-person', { facts: { catalogue: owned(OLGA) } });

    expect(codeOf(approval, grant(OLGA))).toBe('ERR_APPROVER_INVOLVED');
    expect(codeOf(approval, grant(PAVEL))).toBe('approval.granted');
  });

  it('needs a person of the groups that tool and dataset ask for', () => {
    const datasets = new Map(people.datasets);
    datasets.set('crm.orders', { ...datasets.get('crm.orders')!, approvers: ['finance'] });
    const approval = requested('one-person', { facts: { catalogue: { ...people, datasets } } });

    expect(codeOf(approval, grant(PAVEL))).toBe('ERR_NOT_ENTITLED');
    expect(codeOf(approval, grant(OLGA))).toBe('approval.granted');
  });

  it('needs what policy says of approvers', () =>
    expect(codeOf(requested(), grant(OLGA), { mayApprove: () => false })).toBe('ERR_NOT_ENTITLED'));

  it('after its time is rejected, and the approval is over', () => {
    const late = answered(requested(), grant(OLGA), { nowMs: NOW + 900_000 });

    expect(late).toMatchObject({
      is: 'rejected',
      refusal: { code: 'ERR_APPROVAL_EXPIRED' },
      events: [{ type: 'approval.expired', data: { why: 'time' } }],
    });
    expect(codeOf(after(requested(), ...late.events), grant(OLGA))).toBe('ERR_APPROVAL_EXPIRED');
  });

  it('of what was used, refused or withdrawn is rejected', () => {
    const open = requested();
    const used = after(granted(open, OLGA), consumedBy(open, LEASE, NOW));
    const refused = after(open, ...answered(open, { is: 'refuse', by: OLGA }).events);
    const withdrawn = after(open, ...answered(open, { is: 'withdraw', by: NADIA }).events);

    for (const over of [used, refused, withdrawn])
      expect(codeOf(over, grant(PAVEL))).toBe('ERR_APPROVAL_DECIDED');
  });
});

describe('an approval lapses', () => {
  const suspended = (task: Task) =>
    evolve(task, {
      type: 'task.suspended',
      data: { taskId: TASK, generation: 2, cause: 'parked', actor: '', at: '' },
    });
  const ended: Task = { ...openTask(), status: 'ended' };

  it.each<[string, Partial<AnswerFacts>, string]>([
    ['with the end of its task', { chain: [ended] }, 'ERR_TASK_ENDED'],
    ['with the generation of its task', { chain: [suspended(openTask())] }, 'ERR_APPROVAL_LAPSED'],
    ['with policy', { policySet: 'sha256:newer' }, 'ERR_APPROVAL_LAPSED'],
  ])('%s', (_what, change, code) => expect(codeOf(requested(), grant(OLGA), change)).toBe(code));

  it('with the generation of an ancestor', () => {
    const parent = { ...openTask(), taskId: 'parent', generation: 2 };
    const approval = requested();
    approval.requested.lineage.push({ taskId: 'parent', generation: 1 });

    expect(lapseOf(approval, { chain: [openTask(), parent], nowMs: NOW })).toBe('task_changed');
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

describe('a withdrawal', () => {
  const used = () => after(granted(requested(), OLGA), consumedBy(requested(), LEASE, NOW));

  it('names the lease that is to be cut', () =>
    expect(
      answered(used(), { is: 'withdraw', by: OLGA, reason: 'a mistake' }, { leaseId: LEASE }),
    ).toMatchObject({
      events: [{ type: 'approval.withdrawn', data: { leaseId: LEASE, by: OLGA, reason: 'a mistake' } }],
    }));

  it('is for whoever gave it, and for operators', () => {
    expect(codeOf(used(), { is: 'withdraw', by: PAVEL })).toBe('ERR_NOT_ENTITLED');
    expect(codeOf(used(), { is: 'withdraw', by: NADIA })).toBe('approval.withdrawn');
  });

  it('counts once', () => {
    const approval = used();
    const withdrawn = after(approval, ...answered(approval, { is: 'withdraw', by: OLGA }).events);

    expect(codeOf(withdrawn, { is: 'withdraw', by: OLGA })).toBe('ERR_APPROVAL_DECIDED');
  });
});

describe('broken glass', () => {
  const breakGlass = 'the warehouse is on fire';

  it('is an operator alone, and says so to everybody, policy included', () => {
    const approval = requested('two-person');
    const broken = answered(approval, grant(NADIA, { breakGlass }));
    const given = after(approval, ...broken.events);

    expect(broken.events).toMatchObject([
      { type: 'break_glass.used', data: { by: NADIA, reason: breakGlass } },
    ]);
    expect(isApproved(given)).toBe(true);
    expect(approversOf(given)).toEqual([NADIA, 'mayfly:break-glass']);
  });

  it('is not for approvers, and not for whoever asks', () => {
    expect(codeOf(requested(), grant(OLGA, { breakGlass }))).toBe('ERR_NOT_ENTITLED');
    expect(codeOf(requested(), grant(MARIA, { breakGlass }))).toBe('ERR_APPROVER_INVOLVED');
  });
});
