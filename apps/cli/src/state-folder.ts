/** The state folder: what `npm start` wrote there, and where the command line keeps its own keys. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { uuidV7 } from '#events/inbound.js';
import { CliError } from './failure.js';
import { packageRoot } from './package-root.js';

const server = z.object({ host: z.string(), port: z.int(), database: z.string() });
const addresses = z.object({
  broker: z.url(),
  revoker: z.url(),
  auditor: z.url(),
  signer: z.url(),
  kafka: z.string().nullable(),
  postgres: server,
  target: server,
  pid: z.int().positive(),
});
/** What is really in use; services as `http://host:port`, Kafka as `host:port[,…]`. */
export type Addresses = z.infer<typeof addresses>;

export const stateFolder = (env: NodeJS.ProcessEnv): string =>
  resolve(packageRoot(), env.MAYFLY_STATE_DIR || '.mayfly');

const NOT_RUNNING = 'Mayfly is not running: npm start';

/** @throws CliError ERR_CLI_NOT_RUNNING when nothing was started from this folder, or it has stopped. */
export async function readAddresses(folder: string): Promise<Addresses> {
  const file = join(folder, 'run', 'addresses.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('ERR_CLI_NOT_RUNNING', NOT_RUNNING, { cause });
  }
  const parsed = addresses.safeParse(parseJson(text));
  if (!parsed.success)
    throw new CliError('ERR_CLI_FILE', `${file} is damaged: npm start writes it anew`, {
      cause: parsed.error,
    });
  if (!isAlive(parsed.data.pid)) throw new CliError('ERR_CLI_NOT_RUNNING', NOT_RUNNING);
  return parsed.data;
}

/** Where the proof key of one identity for one task is kept. @throws CliError ERR_CLI_USAGE for what is no task id. */
export function proofKeyPath(folder: string, taskId: string, id: string): string {
  const name = id.slice(id.lastIndexOf('/') + 1).replace(/[^A-Za-z0-9._-]/g, '_');
  const digest = createHash('sha256').update(id).digest('hex').slice(0, 16);
  return join(folder, 'agents', asTaskId(taskId), `${name.slice(0, 64)}-${digest}.jwk`);
}

export function asTaskId(text: string): string {
  if (!uuidV7.safeParse(text).success)
    throw new CliError('ERR_CLI_USAGE', `\`${text}\` is no task id: a lower-case UUIDv7 is wanted`);
  return text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
