/** Create and renew: a token is signed here and now, and nobody is asked. It is of use once it has left the process, which is after the outcome's commit. */
import { TOOL_ACCESS } from '#tokens/authorization-detail.js';
import { ProviderError, type CreateAnswer, type JwtCredential, type RenewAnswer } from '../provider.js';
import { Secret } from '../secret.js';
import type { CheckedCreate, CheckedRenewal, CheckedToken } from './checked-plan.js';
import type { TokenSigner } from './token-signer.js';

const seconds = (ms: number) => Math.floor(ms / 1_000);

export function create(plan: CheckedCreate, signer: TokenSigner, nowMs: number): CreateAnswer {
  if (nowMs >= plan.createByMs) return { answer: 'refused', code: 'ERR_CREATE_TOO_LATE' };
  const { credential, kid } = sign(plan, signer, nowMs);
  return { answer: 'created', credential, incarnation: kid };
}

/** The same token with a later end: of the same id, so that whatever kills the lease kills it. */
export function renew(plan: CheckedRenewal, signer: TokenSigner, nowMs: number): RenewAnswer {
  if (nowMs >= plan.renewByMs) return { answer: 'refused', code: 'ERR_RENEWAL_TOO_LATE' };
  return { answer: 'renewed', credential: sign(plan, signer, nowMs).credential };
}

function sign(
  { leaseId, token, notAfterMs }: CheckedToken,
  signer: TokenSigner,
  nowMs: number,
): { credential: JwtCredential; kid: string } {
  const signed = signer.sign({
    sub: token.subject,
    aud: token.audience,
    client_id: token.agent,
    iat: seconds(nowMs),
    exp: seconds(notAfterMs),
    jti: leaseId,
    cnf: { jkt: token.jkt },
    authorization_details: [
      {
        type: TOOL_ACCESS,
        locations: [token.audience],
        tool: token.tool,
        ...(token.dataset === undefined ? {} : { dataset: token.dataset }),
        actions: token.actions,
        task: token.task,
      },
    ],
    act: actorOf(token.act),
    lineage: token.lineage,
    ...(token.agentGeneration === undefined ? {} : { agent_generation: token.agentGeneration }),
    ...(token.argumentsSha256 === undefined ? {} : { arguments_sha256: token.argumentsSha256 }),
    ...(token.status === undefined ? {} : { status: { status_list: token.status } }),
  });
  if (signed === null) throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'no key may sign tokens now');
  return { credential: { kind: 'jwt', token: new Secret(signed.token), dpop: true }, kid: signed.kid };
}

type Chain = CheckedToken['token']['act'];
type Actor = Parameters<TokenSigner['sign']>[0]['act'];

const actorOf = ({ sub, act }: Chain): Actor => (act === undefined ? { sub } : { sub, act: actorOf(act) });
