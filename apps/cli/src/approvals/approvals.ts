/** `mayfly approvals`, `approve` and `deny`: what waits for people, and what one of them says. */
import { doorOf, loginOf, type AsPerson } from '../broker-door.js';
import type { CommandContext } from '../commands/context.js';
import { BrokerClient, type ShownApproval } from './broker-client.js';

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
function wordsOf({
  agent,
  tool,
  dataset,
  action,
  binds,
  approval,
  expiresAt,
  reasons,
}: ShownApproval): string {
  const act = dataset === undefined ? `${action} with ${tool}` : `${action} ${dataset} with ${tool}`;
  const what =
    binds.what === 'this_call'
      ? 'this call, with these arguments'
      : `these rights for ${binds.seconds} s at most: ${binds.rights.join(', ')}`;
  return `${agent} asks to ${act} (${approval}, until ${expiresAt}); a yes is for ${what}; ${reasons.join('; ')}`;
}

const clientOf = async (as: AsPerson, { env }: CommandContext): Promise<BrokerClient> =>
  new BrokerClient(await doorOf(as, env));
