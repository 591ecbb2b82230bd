/** What a task can come to, each from its first event to its last. */
import { v7 as uuidv7 } from 'uuid';
import type { TaskAmended } from '#events/inbound.js';
import { endOverdue } from '../src/end-overdue.js';
import { resumeParked, suspendParked } from '../src/suspend-task.js';
import type { TaskStage } from './task-stage.js';
import { ANALYST, inMs, ORCHESTRATOR } from './voices.js';

const [OLGA, NADIA] = ['user:olga@corp.example', 'user:nadia@corp.example'];

export const STORIES: Record<
  string,
  { story: string; play: (stage: TaskStage, taskId: string) => Promise<void> }
> = {
  'renewed-and-refused': {
    story: 'a lease is renewed once, and refused after the end of its task',
    play: async ({ world, broker, called }: TaskStage, taskId) => {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      const { leaseId = '' } = world.events(taskId, 'lease.issued')[0] ?? {};
      await broker.hear(await world.voices.renews(taskId, leaseId, 120_000));
      await world.hears(taskId, 'lease.renewed');
      await broker.hear(await world.voices.ends(taskId), await world.voices.renews(taskId, leaseId));
      await world.hears(taskId, 'lease.renewal_refused');
    },
  },
  'used-and-ended': {
    story: 'a call is permitted and used, the task is ended by its orchestrator, and the lease is cut',
    async play({ world, broker, called, revoked }: TaskStage, taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await broker.hear(
        await world.voices.says(ANALYST, 'tool.completed', {
          taskId,
          callId: uuidv7(),
          outcome: 'ok',
          rows: 42,
        }),
      );
      await broker.hear(await world.voices.ends(taskId));
      await revoked(taskId);
    },
  },
  'end-before-start': {
    story: 'the end is heard before the start, and counts once it is',
    async play({ world, broker }: TaskStage, taskId) {
      await broker.hear(await world.voices.ends(taskId));
      await broker.hear(await world.voices.starts(taskId));
    },
  },
  'end-without-start': {
    story: 'only an end is ever heard',
    async play({ world, broker }: TaskStage, taskId) {
      await broker.hear(await world.voices.ends(taskId));
    },
  },
  'denied-and-overdue': {
    story: 'a call is denied by policy, and the deadline comes before any end',
    async play({ world, broker }: TaskStage, taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await broker.hear(await world.voices.calls(taskId, { dataset: 'hr.salaries' }));
      await world.passDeadline(taskId);
      await endOverdue(broker.parts);
    },
  },
  'suspended-and-resumed': {
    story: 'a task is suspended, its lease is cut, and a call is permitted again once it is resumed',
    async play({ world, broker, apply, called, revoked }: TaskStage, taskId) {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await apply(suspendParked, taskId);
      await revoked(taskId);
      await apply(resumeParked, taskId);
      await called(taskId, 2);
    },
  },
  'approved-and-withdrawn': {
    story: 'a call waits for a person, who grants it, and takes it back once it was used',
    async play({ world, starts, asks }: TaskStage, taskId) {
      await starts(taskId);
      const { grant, say } = await asks(taskId);
      await grant(OLGA);
      await world.hears(taskId, 'lease.issued');
      await say('withdraw', OLGA);
    },
  },
  'approvals-of-all-kinds': {
    story: 'one call is refused, for one an operator breaks the glass, and one waits until its task ends',
    async play({ world, broker, starts, asks }: TaskStage, taskId) {
      await starts(taskId);
      await (await asks(taskId)).say('refuse', OLGA);
      await (await asks(taskId, 2)).grant(NADIA, 'the warehouse is on fire');
      await world.hears(taskId, 'lease.issued');
      await asks(taskId, 3);
      await broker.hear(await world.voices.ends(taskId));
      await broker.broker.approvals.lapse();
      await world.hears(taskId, 'approval.expired');
    },
  },
  'drifted-and-resumed': {
    story:
      'an agent reports one use and not another, changes its model and asks for what is not declared; a person lets the task go on',
    play: async ({ world, broker, called }: TaskStage, taskId) => {
      const reported = uuidv7();
      await broker.hear(await world.voices.starts(taskId));
      await broker.hear(await world.voices.calls(taskId, { callId: reported, model: { name: 'one' } }));
      await world.hears(taskId, 'lease.issued');
      const report = { taskId, callId: reported, outcome: 'ok' as const, rows: 42 };
      await broker.hear(await world.voices.says(ANALYST, 'tool.completed', report));
      await called(taskId, 2);
      for (const { leaseId } of world.events(taskId, 'lease.issued'))
        await broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'expired'));
      for (const name of ['two', 'one', 'one', 'one'])
        await broker.hear(
          await world.voices.calls(taskId, { dataset: 'crm.customers', model: { name, version: '1' } }),
        );
      await world.hears(taskId, 'task.suspended');
      await broker.broker.orders.order(taskId, { is: 'resume', by: OLGA, reason: 'seen' });
      await called(taskId, 3);
      await broker.hear(await world.voices.calls(taskId, { action: 'write' }));
      await world.quiet();
    },
  },
  'revoked-by-an-operator': {
    story: 'an operator has the revoker take back what a task was lent, and the task goes on',
    play: async ({ world, broker, called, revoked }: TaskStage, taskId) => {
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      const by = 'user:nadia@corp.example';
      const word = {
        taskId,
        generation: 1,
        actor: by,
        at: inMs(0),
        by,
        reason: 'its key was seen elsewhere',
      };
      const order = { orderId: uuidv7(), scope: 'task', subject: taskId, generationBelow: 2 } as const;
      await broker.hearRevoker(
        world.voices.tells({ type: 'revocation.ordered', data: { ...word, ...order } }),
      );
      await world.hears(taskId, 'task.revoked');
      await revoked(taskId);
      await called(taskId, 2);
      await world.quiet();
    },
  },
  'amended-and-rekeyed': {
    story: 'a task is amended, which cuts its lease, then its agent is re-keyed and calls with the new key',
    async play({ world, broker, called, revoked }: TaskStage, taskId) {
      const amend = async (change: Partial<TaskAmended>) =>
        broker.hear(await world.voices.says(ORCHESTRATOR, 'task.amended', { taskId, ...change }));
      await broker.hear(await world.voices.starts(taskId));
      await called(taskId);
      await amend({ deadline: inMs(600_000), reason: 'sooner' });
      await revoked(taskId);
      await amend({ rekey: ANALYST });
      await broker.hear(await world.voices.calls(taskId, {}, await world.voices.newly(ANALYST)));
      await world.hears(taskId, 'lease.issued', 2);
    },
  },
  'refused-by-target': {
    story: 'a child of an open task; the target refuses to create its credential',
    async play({ world, broker }: TaskStage, taskId) {
      const parent = uuidv7();
      await broker.hear(
        await world.voices.starts(parent, {
          delegable: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
        }),
      );
      world.target.answer = () => ({ answer: 'refused', code: 'ERR_TARGET_REFUSED' });
      await broker.hear(
        await world.voices.starts(taskId, {
          parent: { taskId: parent },
          declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
          deadline: inMs(600_000),
        }),
      );
      await broker.hear(await world.voices.calls(taskId));
      await world.hears(taskId, 'lease.abandoned');
    },
  },
};
