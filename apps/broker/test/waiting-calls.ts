/** Calls that wait for people, and what these say. */
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from './harness.js';

const WRITES = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] };
export const writing = { action: 'write' } as const;

export type Asked = Awaited<ReturnType<WaitingCalls['asked']>>;
export type Answer = Awaited<ReturnType<WaitingCalls['grant']>>;

export const codeOf = (answer: Answer) =>
  answer.is === 'rejected' ? answer.refusal.code : answer.approval.status;

export class WaitingCalls {
  private constructor(
    readonly world: World,
    readonly broker: BrokerProcess,
  ) {}

  static async open(): Promise<WaitingCalls> {
    const world = await World.open();
    return new WaitingCalls(world, await world.start());
  }

  async task(): Promise<string> {
    const taskId = uuidv7();
    await this.broker.hear(await this.world.voices.starts(taskId, { declared: [WRITES] }));
    await this.world.hears(taskId, 'task.accepted');
    return taskId;
  }

  /** A call for which people are asked. */
  async asked() {
    const taskId = await this.task();
    const record = await this.world.voices.calls(taskId, writing);
    await this.broker.hear(record);
    const [requested] = await this.world.hears(taskId, 'approval.requested');
    return { taskId, record, requested: requested! };
  }

  grant({ requested }: Asked, by: string, process = this.broker, callDigest = requested.callDigest) {
    return process.broker.approvals.answer(requested.approvalId, { is: 'grant', by, callDigest });
  }

  says({ requested }: Asked, is: 'refuse' | 'withdraw', by: string) {
    return this.broker.broker.approvals.answer(requested.approvalId, { is, by });
  }

  refusals({ taskId }: Asked) {
    return this.world
      .delivered(taskId)
      .flatMap(({ type, data }) => (type === 'call.refused' ? [data.code] : []));
  }
}
