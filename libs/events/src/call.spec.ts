import {
  ANALYST,
  call,
  callFacts,
  catalogue,
  judge,
  LEASE,
  NOW,
  openTask,
  ORCHESTRATOR,
  PLANNER,
  sender,
  CHILD,
  start,
  startFacts,
  STRANGER,
  TASK,
} from '../test/fixture.js';
import { decideAmendment } from './amend-task.js';
import { decideCall } from './call.js';
import type { CallFacts } from './call-facts.js';
import { decideStart } from './declare-task.js';
import type { ToolCalled } from './inbound.js';
import { evolve, unknownTask, type Task } from './task.js';

const decide = (change: Partial<ToolCalled> = {}, facts: Partial<CallFacts> = {}, by = ANALYST) =>
  decideCall(call(change), sender(by), callFacts(facts));

function codeOf(result: ReturnType<typeof decide>): string {
  if (result.is === 'rejected') return `rejected ${result.refusal.code}`;
  return result.refusal === null ? 'permit' : `${result.decided.data.decision} ${result.refusal.code}`;
}

describe('a call', () => {
  it('that is permitted is a decision and an intent with its whole plan', () => {
    const result = decide({ ttlMs: 120_000 });

    expect(result).toMatchObject({
      decided: { data: { decision: 'permit', leaseId: LEASE, policySet: 'sha256:policy' } },
      intended: {
        data: {
          provider: 'postgres',
          target: 'shop',
          rights: ['pol_orders_read'],
          lineage: [{ taskId: TASK, generation: 1 }],
          createBy: new Date(NOW + 10_000).toISOString(),
          notAfter: new Date(NOW + 120_000).toISOString(),
          hardEnd: start().deadline,
        },
      },
    });
  });

  it('names every check it passed', () => {
    const result = decide();

    expect(result.is === 'decided' && result.decided.data.checks.map((check) => check.check)).toEqual([
      'task_live',
      'tool_known',
      'dataset_known',
      'in_declaration',
      'objective_matches',
      'seal_key_valid',
      'seal_key_own',
      'ttl_in_task',
      'kind_supported',
      'tool_policy',
      'dataset_policy',
    ]);
  });

  it('says what is amiss at its target, where something is, and asks no policy', () => {
    const asked: [string, readonly string[]][] = [];
    const unfit = (target: string, rights: readonly string[]) => {
      asked.push([target, rights]);
      return 'mayfly lacks a right at the target (ERR_TARGET_RIGHT_MISSING)';
    };
    const result = decide({}, { unfit });

    expect(asked).toEqual([['shop', ['pol_orders_read']]]);
    expect(result.is === 'decided' && result.decided.data.checks.at(-1)).toEqual({
      check: 'target_fit',
      ok: false,
      reason: 'mayfly lacks a right at the target (ERR_TARGET_RIGHT_MISSING)',
    });
    expect(result).toMatchObject({ intended: null, refusal: { code: 'ERR_TARGET_UNFIT' } });
  });

  it('is rejected before its task, from an agent not named, and with another key than the pinned one', () => {
    const pinned = { ...openTask(), pins: { [ANALYST]: 'another key' } };

    expect(codeOf(decide({}, { task: unknownTask(TASK) }))).toBe('rejected ERR_TASK_UNKNOWN');
    expect(codeOf(decide({}, {}, STRANGER))).toBe('rejected ERR_AGENT_NOT_NAMED');
    expect(codeOf(decide({}, { task: pinned }))).toBe('rejected ERR_KEY_CHANGED');
  });

  it('is rejected from an identity that is in too many tasks', () => {
    expect(codeOf(decide({}, { openTasksOfSender: 3 }))).toBe('rejected ERR_IDENTITY_SHARED');
  });

  it.each<{ when: string; expected: string; change?: Partial<ToolCalled>; facts?: Partial<CallFacts> }>([
    {
      when: 'after the end',
      expected: 'deny ERR_TASK_ENDED',
      facts: { task: { ...openTask(), status: 'ended' } },
    },
    {
      when: 'while its task is suspended',
      expected: 'deny ERR_TASK_SUSPENDED',
      facts: { task: { ...openTask(), status: 'suspended' } },
    },
    {
      when: 'after the deadline of a suspended task',
      expected: 'deny ERR_TASK_ENDED',
      facts: { task: { ...openTask(), status: 'suspended' }, nowMs: NOW + 3_600_000 },
    },
    { when: 'after the deadline', expected: 'deny ERR_TASK_ENDED', facts: { nowMs: NOW + 3_600_000 } },
    {
      when: 'by an agent that is revoked',
      expected: 'deny ERR_AGENT_REVOKED',
      facts: { standing: { generation: 1, revoked: true } },
    },
    {
      when: 'by an agent that the catalogue does not have any more',
      expected: 'deny ERR_AGENT_UNKNOWN',
      facts: { catalogue: { ...catalogue, agents: new Map() } },
    },
    { when: 'with a tool nobody knows', expected: 'deny ERR_TOOL_UNKNOWN', change: { tool: 'sql.nothing' } },
    {
      when: 'on a dataset nobody knows',
      expected: 'deny ERR_DATASET_UNKNOWN',
      change: { dataset: 'crm.nothing' },
    },
    {
      when: 'outside the declaration',
      expected: 'deny ERR_NOT_DECLARED',
      change: { dataset: 'hr.salaries' },
    },
    {
      when: 'with another objective',
      expected: 'deny ERR_OBJECTIVE_MISMATCH',
      change: { objectiveSha256: 'b'.repeat(64) },
    },
    {
      when: 'with no valid seal key',
      expected: 'deny ERR_SEAL_KEY_INVALID',
      facts: { sealKeyThumbprint: null },
    },
    {
      when: 'that seals to its proof key',
      expected: 'deny ERR_SEAL_KEY_REUSED',
      facts: { sealKeyThumbprint: `key of ${ANALYST}` },
    },
    {
      when: 'with a TTL longer than the task',
      expected: 'deny ERR_TTL_TOO_LONG',
      change: { ttlMs: 3_600_001 },
    },
    {
      when: 'at a target that is not fit',
      expected: 'deny ERR_TARGET_UNFIT',
      facts: { unfit: () => 'the target does not answer (ERR_TARGET_UNREACHABLE)' },
    },
    {
      when: 'for another kind of credential',
      expected: 'deny ERR_KIND_UNSUPPORTED',
      change: { credential: 'jwt' },
    },
    {
      when: 'that policy denies',
      expected: 'deny ERR_DATASET_FORBIDDEN',
      facts: { judge: judge({ call: { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' } }) },
    },
    {
      when: 'that needs an approval',
      expected: 'approval_required ERR_APPROVAL_REQUIRED',
      facts: { judge: judge({ call: { decision: 'approval_required' } }) },
    },
  ])('$when gets no credential', ({ expected, change, facts }) => {
    const result = decide(change, facts);

    expect(codeOf(result)).toBe(expected);
    expect(result.is === 'decided' && result.intended).toBeNull();
  });

  it('is denied to a named agent who is not declared for this dataset', () => {
    const task = openTask({
      agents: [{ id: ANALYST }, { id: PLANNER }],
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'], agents: [PLANNER] }],
    });

    expect(codeOf(decide({}, { task }))).toBe('deny ERR_NOT_DECLARED');
    expect(codeOf(decide({}, { task }, PLANNER))).toBe('permit');
  });

  it('is denied to who handed it on to itself, once the parent task was amended and lets it no more', () => {
    const parent = openTask({ delegable: start().declared });
    const started = decideStart(
      unknownTask(CHILD),
      start({ taskId: CHILD, parent: { taskId: TASK } }),
      sender(ANALYST),
      startFacts([parent]),
    );
    if (started.is !== 'decided') throw new Error('the child was refused');
    const child = started.events.reduce(evolve, unknownTask(CHILD));
    const declared = [{ tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] }];
    const amendment = decideAmendment(parent, { taskId: TASK, declared }, sender(ORCHESTRATOR), startFacts());
    const amended = amendment.is === 'decided' ? amendment.events.reduce(evolve, parent) : parent;
    const made = (ancestor: Task) =>
      codeOf(decide({ taskId: CHILD }, { task: child, ancestors: [ancestor] }));

    expect(made(parent)).toBe('permit');
    expect(made(amended)).toBe('deny ERR_NOT_DECLARED');
  });

  it('is denied where an ancestor is not live, or not known', () => {
    const parent = openTask({ delegable: start().declared });
    const child = openTask({ parent: { taskId: TASK } }, [parent]);

    expect(codeOf(decide({}, { task: child, ancestors: [parent] }))).toBe('permit');
    expect(codeOf(decide({}, { task: child, ancestors: [] }))).toBe('deny ERR_PARENT_ENDED');
    expect(codeOf(decide({}, { task: child, ancestors: [{ ...parent, status: 'ended' }] }))).toBe(
      'deny ERR_PARENT_ENDED',
    );
  });

  it('is denied while an ancestor is suspended, and told of the end where another has ended', () => {
    const delegable = start().declared;
    const parent = openTask({ delegable });
    const child = openTask({ taskId: CHILD, parent: { taskId: TASK }, delegable }, [parent]);
    const grandchild = openTask({ parent: { taskId: CHILD } }, [child, parent]);
    const suspended = { ...child, status: 'suspended' as const };

    expect(codeOf(decide({}, { task: grandchild, ancestors: [suspended, parent] }))).toBe(
      'deny ERR_TASK_SUSPENDED',
    );
    expect(
      codeOf(decide({}, { task: grandchild, ancestors: [suspended, { ...parent, status: 'ended' }] })),
    ).toBe('deny ERR_PARENT_ENDED');
  });

  it.each([
    ['what the call asks for', { ttlMs: 5_000 }, 300_000, 5_000],
    ['what policy obliges', { ttlMs: 500_000 }, 60_000, 60_000],
    ['what the target allows', { ttlMs: 3_000_000 }, null, 600_000],
  ])('gets a lease no longer than %s', (_limit, change, policyTtlMs, expected) => {
    const obligations = { ttlMs: policyTtlMs, approval: null, rowFilters: [] };

    const result = decide(change, { judge: judge({ call: { obligations } }) });

    const notAfter = result.is === 'decided' ? result.intended?.data.notAfter : undefined;
    expect(Date.parse(notAfter ?? '') - NOW).toBe(expected);
  });

  it('gets a lease no longer than its task', () => {
    const task = openTask({ deadline: new Date(NOW + 4_000).toISOString() });

    const result = decide({}, { task });

    expect(result.is === 'decided' && result.intended?.data).toMatchObject({
      notAfter: new Date(NOW + 4_000).toISOString(),
      createBy: new Date(NOW + 4_000).toISOString(),
    });
  });

  it('is lent nothing where its target is spared for now, and then policy has said yes all the same', () => {
    const unavailable = (target: string) =>
      target === 'shop' ? { code: 'ERR_TARGET_UNAVAILABLE' as const, reason: 'spared' } : null;

    const result = decide({}, { unavailable });

    expect(codeOf(result)).toBe('permit ERR_TARGET_UNAVAILABLE');
    expect(result).toMatchObject({ intended: null, requested: null, reasons: ['spared'] });
    expect(result).not.toHaveProperty('decided.data.leaseId');
    expect(codeOf(decide({ tool: 'sql.nothing' }, { unavailable }))).toBe('deny ERR_TOOL_UNKNOWN');
    expect(codeOf(decide({}, { unavailable: () => null }))).toBe('permit');
  });
});
