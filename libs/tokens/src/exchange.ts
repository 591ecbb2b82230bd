/**
 * One token for another (RFC 8693), as an order on tokens: what comes out permits nothing that what went in did not, lasts no longer,
 * dies of everything that the other dies of, and names everybody through whom it came. Pure. That the actor is who it says, and that
 * task and policy permit the exchange, is decided elsewhere; this holds whatever they say.
 */
import { refuse } from '#identity/refuse.js';
import type { AccessTokenClaims, LineageEntry } from './access-token.js';
import { actsAfter } from './actor.js';
import { narrows, type ToolAccess } from './authorization-detail.js';
import type { Checked, ExchangeCode } from './refusal.js';

/** Requires that both are claims as `verifyAccessToken` returns them; `result` is what is about to be signed. */
export function checkExchange(
  source: AccessTokenClaims,
  result: AccessTokenClaims,
): Checked<object, ExchangeCode> {
  if (result.iss !== source.iss || result.sub !== source.sub)
    return refuse('ERR_EXCHANGE_SUBJECT', 'an exchange cannot change on whose behalf something is done');
  if (result.jti === source.jti)
    return refuse('ERR_EXCHANGE_LEASE_REUSED', 'what an exchange gives is another lease');
  if (!actsAfter(source.act, result.act))
    return refuse('ERR_EXCHANGE_ACTOR', 'an exchange may put one actor outside, and drop none');
  // Else the old holder could act under the new name, or somebody else under the old one.
  if ((result.act.sub === source.act.sub) !== (result.cnf.jkt === source.cnf.jkt))
    return refuse('ERR_EXCHANGE_KEY', 'another actor has another key, and the same actor the same');
  if (!descends(source.lineage, result.lineage))
    return refuse('ERR_EXCHANGE_LINEAGE', 'an exchange stays in the task or below it');
  if (!isWithin(source.authorization_details, result.authorization_details))
    return refuse('ERR_EXCHANGE_WIDENS', 'an exchange cannot permit more');
  if (source.arguments_sha256 !== undefined && result.arguments_sha256 !== source.arguments_sha256)
    return refuse('ERR_EXCHANGE_WIDENS', 'an exchange cannot free a token from its arguments');
  if (result.exp > source.exp) return refuse('ERR_EXCHANGE_OUTLIVES', 'an exchange cannot last longer');
  return { ok: true };
}

/** True if whatever kills by `above` kills by `below`: its tasks and generations are all there, as the outer end. */
function descends(above: readonly LineageEntry[], below: readonly LineageEntry[]): boolean {
  const outer = below.slice(-above.length);
  return above.every(
    ({ taskId, generation }, index) =>
      outer[index]?.taskId === taskId && outer[index].generation === generation,
  );
}

/** True if each action of each of `inner` is granted by one of `outer`; that the tasks descend is for `descends`. */
const isWithin = (outer: readonly ToolAccess[], inner: readonly ToolAccess[]): boolean =>
  inner.every((detail) =>
    detail.actions.every((action) =>
      outer.some((grant) => narrows({ ...grant, task: detail.task }, { ...detail, actions: [action] })),
    ),
  );
