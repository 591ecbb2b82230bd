import { readFile } from 'node:fs/promises';
import { mintSvid } from '#identity/development/mint-svid.js';
import { AuditorClient } from './auditor-client.js';
import { SAMPLE_OPERATOR } from './commands/context.js';
import { CliError } from './failure.js';
import { readAddresses, stateFolder } from './state-folder.js';

export interface AsReader {
  /** The auditor's address, where `npm start` did not start it. */
  auditor?: string;
  /** File with the token of a reader of the log, where the development issuer is not theirs. */
  token?: string;
}

const TOKEN_TTL_S = 120;

/** The auditor, asked as a reader of the log. @throws CliError ERR_CLI_NOT_RUNNING */
export async function auditorOf(
  { auditor, token }: AsReader,
  env: NodeJS.ProcessEnv,
): Promise<AuditorClient> {
  const stateDir = stateFolder(env);
  return new AuditorClient(auditor ?? (await readAddresses(stateDir)).auditor, () =>
    token === undefined
      ? mintSvid({ stateDir, id: SAMPLE_OPERATOR, audience: 'mayfly', ttlS: TOKEN_TTL_S, env })
      : tokenIn(token),
  );
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read`, { cause });
  }
}
