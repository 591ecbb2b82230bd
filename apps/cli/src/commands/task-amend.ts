/** `mayfly task amend`: publishes a signed `task.amended` and waits for the broker's verdict. What was lent before is cut. */
import { readFile, rm } from 'node:fs/promises';
import { Refused } from '#agent/refused.js';
import { reasonsOf } from '#agent/verdicts.js';
import { taskAmended } from '#events/inbound.js';
import type { TaskAmended } from '#events/inbound.js';
import { CliError } from '../failure.js';
import { MayflyClient } from '../mayfly-client.js';
import { asTaskId, proofKeyPath } from '../state-folder.js';
import { VERDICT_WITHIN_MS } from './context.js';
import type { CommandContext } from './context.js';

export interface TaskAmendOptions {
  /** File with what changes: `declared`, `deadline`, `rekey`, `reason`. */
  file?: string;
  /** An agent that goes on with another key. */
  rekey?: string;
  reason?: string;
  as: string;
}

export async function taskAmend(
  id: string,
  { as, file, ...said }: TaskAmendOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const taskId = asTaskId(id);
  const data = await amendmentOf(taskId, file, said);
  const client = await MayflyClient.open(env);
  try {
    const { verdict } = await client.send('task.amended', data, as, VERDICT_WITHIN_MS);
    const { type, data: answer } = await verdict;
    if (type === 'event.rejected' || type === 'task.amendment_refused')
      throw new Refused(answer.code, reasonsOf(answer));
    // The key that it had here is good for nothing in this task any more.
    if (data.rekey !== undefined) await rm(proofKeyPath(client.folder, taskId, data.rekey), { force: true });
    const { generation } = answer;
    output.answer(`${taskId} amended: generation ${generation}`, { taskId, generation, amended: true });
  } finally {
    await client.close();
  }
}

async function amendmentOf(
  taskId: string,
  file: string | undefined,
  { rekey, reason }: Pick<TaskAmendOptions, 'rekey' | 'reason'>,
): Promise<TaskAmended> {
  if (file === undefined && rekey === undefined)
    throw new CliError('ERR_CLI_USAGE', 'nothing to amend: give --file or --rekey');
  const parsed = taskAmended.safeParse({
    ...(file === undefined ? {} : await readObject(file)),
    ...(rekey === undefined ? {} : { rekey }),
    ...(reason === undefined ? {} : { reason }),
    taskId,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(
    'ERR_CLI_FILE',
    `${file ?? 'the options'}: ${issue!.path.join('.') || 'amendment'}: ${issue!.message}`,
  );
}

async function readObject(file: string): Promise<object> {
  try {
    const given: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read as JSON`, { cause });
  }
  throw new CliError('ERR_CLI_FILE', `\`${file}\` holds no JSON object`);
}
