/** `mayfly approvals`, `approve` and `deny`: what waits for people, and what one of them says. */
import { readFile } from 'node:fs/promises';
import { mintLogin } from '#identity/development/development-login.js';
import { IdentityError } from '#identity/errors.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { readAddresses, stateFolder } from '../state-folder.js';
import { BrokerClient, type ShownApproval } from './broker-client.js';
import { actWords, bindingWords } from '#events/approval-words.js';

/** Who approves in the sample, unless told otherwise. */
export const SAMPLE_APPROVER = 'user:olga@corp.example';
const LOGIN_TTL_S = 120;

export interface AsPerson {
  as: string;
  /** File with the token of a person, where the development issuer is not theirs. */
  token?: string;
  /** Where `npm start` did not start it. */
  broker?: string;
}

/** `mayfly login-token`: the token of a person, of the development issuer, alone on standard output. */
export async function loginToken(
  { as, ttl }: { as: string; ttl: number },
  { env, output }: CommandContext,
): Promise<void> {
  const token = await loginOf(as, ttl, env);
  output.answer(token, { token, person: as, ttlS: ttl });
}

export async function approvalsList(
  { state, ...as }: AsPerson & { state?: string },
  context: CommandContext,
): Promise<void> {
  const approvals = await (await clientOf(as, context)).list(state === 'all' ? undefined : state);
  const lines = approvals.map((each) => `${each.approvalId}  ${each.state}  ${wordsOf(each)}`);
  context.output.answer(lines.length === 0 ? 'nothing waits for an approval' : lines.join('\n'), {
    approvals,
  });
}

export interface ApproveOptions extends AsPerson {
  /** Only if it is for this call. */
  digest?: string;
  reason?: string;
  breakGlass?: string;
}

export async function approve(
  id: string,
  { digest, reason, breakGlass, ...as }: ApproveOptions,
  context: CommandContext,
): Promise<void> {
  const client = await clientOf(as, context);
  const asked = await client.one(id);
  context.output.remark(wordsOf(asked));
  const given = await client.answer(id, 'grant', {
    callDigest: digest ?? asked.callDigest,
    ...(reason === undefined ? {} : { reason }),
    ...(breakGlass === undefined ? {} : { breakGlass: { reason: breakGlass } }),
  });
  const left = given.needed - given.grants.length;
  const more = given.state === 'open' && left > 0 ? `: ${left} more to go` : '';
  context.output.answer(`${id} ${given.state}${more}`, given);
}

export async function takeBack(
  id: string,
  verb: 'refuse' | 'withdraw',
  { reason, ...as }: AsPerson & { reason?: string },
  context: CommandContext,
): Promise<void> {
  const client = await clientOf(as, context);
  const given = await client.answer(id, verb, reason === undefined ? {} : { reason });
  context.output.answer(`${id} ${given.state}`, given);
}

/** What a yes would be bound to, and no more. */
function wordsOf(asked: ShownApproval): string {
  const { agent, binds, approval, expiresAt, reasons } = asked;
  return `${agent} asks to ${actWords(asked)} (${approval}, until ${expiresAt}); a yes is for ${bindingWords(binds)}; ${reasons.join('; ')}`;
}

async function clientOf({ as, token, broker }: AsPerson, { env }: CommandContext): Promise<BrokerClient> {
  const address = broker ?? (await readAddresses(stateFolder(env))).broker;
  return new BrokerClient(address, () =>
    token === undefined ? loginOf(as, LOGIN_TTL_S, env) : tokenIn(token),
  );
}

async function loginOf(person: string, ttlS: number, env: NodeJS.ProcessEnv): Promise<string> {
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
