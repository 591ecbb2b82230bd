/** A broker, and what happens to one task at it. */
import { transact } from '#store/database.js';
import type { suspendParked } from '../src/suspend-task.js';
import { UnitOfWork } from '../src/unit-of-work.js';
import { World, type BrokerProcess } from './harness.js';

export class TaskStage {
  private constructor(
    readonly world: World,
    readonly broker: BrokerProcess,
  ) {}

  static async open(): Promise<TaskStage> {
    const world = await World.open();
    return new TaskStage(world, await world.start());
  }

  apply = async (act: typeof suspendParked, taskId: string): Promise<void> => {
    const { db, relay, instanceId } = this.broker.parts;
    const queued = await transact(db, async (tx) => {
      const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
      act(work, taskId, 'ce-parked', work.nowMs);
      return await work.flush(instanceId);
    });
    await relay.send(queued);
  };

  called = async (taskId: string, count = 1): Promise<void> => {
    await this.broker.hear(await this.world.voices.calls(taskId, { ttlMs: 60_000 }));
    await this.world.hears(taskId, 'lease.issued', count);
  };

  revoked = async (taskId: string): Promise<void> => {
    const { world } = this;
    for (const { leaseId } of world.events(taskId, 'lease.issued'))
      await this.broker.hearRevoker(world.voices.revokes(taskId, leaseId, 'task_ended'));
  };

  /** A task that may write, which needs people. */
  starts = async (taskId: string) =>
    await this.broker.hear(
      await this.world.voices.starts(taskId, {
        declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['write'] }],
      }),
    );

  asks = async (taskId: string, count = 1) => {
    const { world, broker } = this;
    await broker.hear(await world.voices.calls(taskId, { action: 'write' }));
    const { approvalId, callDigest } = (await world.hears(taskId, 'approval.requested', count)).at(-1)!;
    const { approvals } = broker.broker;
    return {
      grant: (by: string, breakGlass?: string) =>
        approvals.answer(approvalId, { is: 'grant', by, callDigest, breakGlass }),
      say: (is: 'refuse' | 'withdraw', by: string) => approvals.answer(approvalId, { is, by }),
    };
  };
}
