/** `mayfly task start`: publishes a signed `task.started` and waits for the broker's verdict. */
import { readFile } from 'node:fs/promises';
import { v7 as uuidV7 } from 'uuid';
import { Refused } from '#agent/refused.js';
import { reasonsOf } from '#agent/verdicts.js';
import { taskStarted } from '#events/inbound.js';
import type { TaskStarted } from '#events/inbound.js';
import { CliError } from '../failure.js';
import { MayflyClient } from '../mayfly-client.js';
import { VERDICT_WITHIN_MS } from './context.js';
import type { CommandContext } from './context.js';

export interface TaskStartOptions {
  /** File with the event's data; `taskId` may be left out. */
  file: string;
  as: string;
}

export async function taskStart(options: TaskStartOptions, { env, output }: CommandContext): Promise<void> {
  const data = await readTask(options.file);
  const client = await MayflyClient.open(env);
  try {
    const { verdict } = await client.send('task.started', data, options.as, VERDICT_WITHIN_MS);
    const { type, data: said } = await verdict;
    if (type === 'event.rejected' || type === 'task.refused') throw new Refused(said.code, reasonsOf(said));
    output.answer(data.taskId, { taskId: data.taskId, orchestrator: options.as, accepted: true });
  } finally {
    await client.close();
  }
}

async function readTask(file: string): Promise<TaskStarted> {
  let given: unknown;
  try {
    given = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read as JSON`, { cause });
  }
  const parsed = taskStarted.safeParse({ taskId: uuidV7(), ...(given as object) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError('ERR_CLI_FILE', `${file}: ${issue!.path.join('.') || 'task'}: ${issue!.message}`);
}
