/** Broker and revoker over HTTP, as a person who has signed in. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { mintLogin } from '#identity/development/development-login.js';
import { IdentityError } from '#identity/errors.js';
import { CliError } from './failure.js';
import { readAddresses, stateFolder } from './state-folder.js';

const REQUEST_WITHIN_MS = 10_000;
const LOGIN_TTL_S = 120;

export interface SpeaksAs {
  as: string;
  /** File with the token of a person, where the development issuer is not theirs. */
  token?: string;
}
export interface AsPerson extends SpeaksAs {
  /** Where `npm start` did not start it. */
  broker?: string;
}
export interface AsOperator extends SpeaksAs {
  /** Where `npm start` did not start it. */
  revoker?: string;
}

const problem = z.object({ code: z.string(), detail: z.string() });

export class ServiceDoor {
  constructor(
    private readonly service: 'broker' | 'revoker',
    private readonly address: string,
    private readonly token: () => Promise<string>,
  ) {}

  /** @throws CliError ERR_CLI_UNREACHABLE, ERR_CLI_ANSWER with the service's code */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    const { service, address } = this;
    const token = await this.token();
    let response: Response;
    try {
      response = await fetch(new URL(path, address), {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_WITHIN_MS),
      });
    } catch (cause) {
      throw new CliError('ERR_CLI_UNREACHABLE', `the ${service} does not answer at ${address}`, { cause });
    }
    const said: unknown = await response.json().catch(() => undefined);
    if (response.ok) return said;
    const parsed = problem.safeParse(said);
    const why = parsed.success ? `${parsed.data.code}: ${parsed.data.detail}` : 'no reason given';
    throw new CliError('ERR_CLI_ANSWER', `the ${service} answered ${response.status}: ${why}`);
  }
}

export async function doorOf({ broker, ...as }: AsPerson, env: NodeJS.ProcessEnv): Promise<ServiceDoor> {
  const address = broker ?? (await readAddresses(stateFolder(env))).broker;
  return new ServiceDoor('broker', address, () => tokenOf(as, env));
}

export async function revokerDoorOf(
  { revoker, ...as }: AsOperator,
  env: NodeJS.ProcessEnv,
): Promise<ServiceDoor> {
  const address = revoker ?? (await readAddresses(stateFolder(env))).revoker;
  return new ServiceDoor('revoker', address, () => tokenOf(as, env));
}

const tokenOf = ({ as, token }: SpeaksAs, env: NodeJS.ProcessEnv): Promise<string> =>
  token === undefined ? loginOf(as, LOGIN_TTL_S, env) : tokenIn(token);

/** The token of a person, of the development issuer. */
export async function loginOf(person: string, ttlS: number, env: NodeJS.ProcessEnv): Promise<string> {
  try {
    return await mintLogin({ stateDir: stateFolder(env), person, ttlS, env });
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_FILE_UNREADABLE')
      throw new CliError(
        'ERR_CLI_NOT_RUNNING',
        'there is no development issuer of people’s tokens yet: npm start makes it',
        { cause: error },
      );
    throw error;
  }
}

async function tokenIn(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read`, { cause });
  }
}
