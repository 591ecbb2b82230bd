import {
  after,
  answered,
  codeOf,
  grant,
  granted,
  LEASE,
  MARIA,
  NADIA,
  OLGA,
  PAVEL,
  people,
  requested,
  ROBOT,
} from '../test/approving.js';
import { ANALYST, NOW, openTask, TASK } from '../test/fixture.js';
import { approversOf, consumedBy, isApproved, lapseOf, type AnswerFacts } from './approval.js';
import { evolve, type Task } from './task.js';

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
