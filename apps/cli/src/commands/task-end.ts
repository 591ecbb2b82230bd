/** `mayfly task end`: publishes a signed `task.ended`. Ending twice is allowed, and the second time nothing is recorded. */
import { AgentError } from '#agent/agent-error.js';
import { Refused } from '#agent/refused.js';
import type { TaskEnded } from '#events/inbound.js';
import { MayflyClient } from '../mayfly-client.js';
import type { Published } from '../mayfly-client.js';
import { asTaskId } from '../state-folder.js';
import type { CommandContext } from './context.js';

/** Short: the event counts once the bus has acknowledged it, whether or not its record is seen here. */
const RECORDED_WITHIN_MS = 5_000;

export interface TaskEndOptions {
  outcome: TaskEnded['outcome'];
  reason?: string;
  as: string;
}

export async function taskEnd(
  id: string,
  { outcome, reason, as }: TaskEndOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const taskId = asTaskId(id);
  const client = await MayflyClient.open(env);
  try {
    const data: TaskEnded = { taskId, outcome, ...(reason === undefined ? {} : { reason }) };
    const recorded = await isRecorded(await client.send('task.ended', data, as, RECORDED_WITHIN_MS));
    if (!recorded)
      output.remark('the end is on the bus; the broker recorded nothing new (had the task ended before?)');
    output.answer(recorded ? `${taskId} ended (${outcome})` : taskId, { taskId, outcome, recorded });
  } finally {
    await client.close();
  }
}

async function isRecorded({ verdict }: Published): Promise<boolean> {
  try {
    const { type, data } = await verdict;
    if (type === 'event.rejected' || type === 'task.refused') throw new Refused(data.code, [data.reason]);
    return true;
  } catch (error) {
    if (error instanceof AgentError && error.code === 'ERR_ANSWER_TIMEOUT') return false;
    throw error;
  }
}
