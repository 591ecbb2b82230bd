/** `mayfly approvals`, `approve` and `deny`: what waits for people, and what one of them says. */
import { doorOf, loginOf, type AsPerson } from '../service-door.js';
import type { CommandContext } from '../commands/context.js';
import { BrokerClient, type ShownApproval } from './broker-client.js';
import { actWords, bindingWords } from '#events/approval-words.js';

/** Who approves in the sample, unless told otherwise. */
export const SAMPLE_APPROVER = 'user:olga@corp.example';

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

const clientOf = async (as: AsPerson, { env }: CommandContext): Promise<BrokerClient> =>
  new BrokerClient(await doorOf(as, env));
