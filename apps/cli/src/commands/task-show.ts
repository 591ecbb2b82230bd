/** `mayfly task show`: a task's story out of the audit log. */
import { mintSvid } from '#identity/development/mint-svid.js';
import { AuditorClient } from '../auditor-client.js';
import { CliError } from '../failure.js';
import { asTaskId, readAddresses, stateFolder } from '../state-folder.js';
import { SAMPLE_OPERATOR } from './context.js';
import type { CommandContext } from './context.js';

export async function taskShow(id: string, { env, output }: CommandContext): Promise<void> {
  const taskId = asTaskId(id);
  const stateDir = stateFolder(env);
  const { auditor } = await readAddresses(stateDir);
  const client = new AuditorClient(auditor, () =>
    mintSvid({ stateDir, id: SAMPLE_OPERATOR, audience: 'mayfly', ttlS: 60, env }),
  );
  const story = await client.story(taskId);
  if (story === undefined) throw new CliError('ERR_CLI_NOT_FOUND', `the log knows no task ${taskId}`);
  output.answer(story.text, story);
}
