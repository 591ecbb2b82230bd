/**
 * Access tokens (RFC 9068): a JWT lease, as broker and verifiers know it. One audience, bound to the agent's key (RFC 9449), with what
 * it grants (RFC 9396), who acts (RFC 8693), and the task and its ancestors by generation, so that their ends reach it.
 * Pure; times in the claims are seconds.
 */
import { refuse } from '#identity/refuse.js';
import { readActor, type Actor } from './actor.js';
import { readAuthorizationDetails, type ToolAccess } from './authorization-detail.js';
import { hasOnly, isCount, isName, isSeconds, isSha256Hex, isText, isThumbprint } from './claim-forms.js';
import type { Checked } from './refusal.js';
import { readSignedToken, signToken, verifySignature, type KeyOf, type TokenKey } from './signed-token.js';

export interface LineageEntry {
  taskId: string;
  generation: number;
}

export interface AccessTokenClaims {
  iss: string;
  /** On whose behalf: `user:maria@corp.example`. */
  sub: string;
  aud: string;
  /** The agent, as the outermost `act.sub`. */
  client_id: string;
  iat: number;
  /** The lease's notAfter, rounded down. */
  exp: number;
  /** The lease's id. */
  jti: string;
  /** RFC 7638 thumbprint of the agent's proof key. */
  cnf: { jkt: string };
  authorization_details: ToolAccess[];
  act: Actor;
  /** The token's task first, then its ancestors, each with its generation when the lease was intended. */
  lineage: LineageEntry[];
  /** Of the agent's own when the lease was intended; absent: it had never been revoked. */
  agent_generation?: number;
  /** Of the RFC 8785 form of the tool's arguments, where the call gave one: the token is good for these alone. */
  arguments_sha256?: string;
  status?: { status_list: { idx: number; uri: string } };
}

export const MAX_ACCESS_TOKEN_CHARS = 8192;
export const MAX_LINEAGE = 32;
/** How far the issuer's clock may be ahead (protocol, rule 12). */
const LEEWAY_MS = 2000;

const malformed = (reason: string) => refuse('ERR_TOKEN_MALFORMED', reason);

/**
 * @throws TypeError for claims that `verifyAccessToken` would refuse, for a token over the limit, and for a key that is no P-256 key:
 * what no verifier accepts must not leave us.
 */
export function signAccessToken(claims: AccessTokenClaims, key: TokenKey): string {
  const reading = readClaims({ ...claims });
  if (!reading.ok) throw new TypeError(`not an access token: ${reading.refusal.reason}`);
  const token = signToken('at+jwt', reading.claims, key);
  if (token.length > MAX_ACCESS_TOKEN_CHARS) throw new TypeError('not an access token: it is too long');
  return token;
}

/** Form and claims. Nothing is verified: whoever made the token up chose them. */
export function readAccessToken(token: string): Checked<{ kid: string; claims: AccessTokenClaims }> {
  const reading = readSignedToken(token, 'at+jwt', MAX_ACCESS_TOKEN_CHARS);
  if (!reading.ok) return reading;
  const claims = readClaims(reading.signed.claims);
  return claims.ok ? { ok: true, kid: reading.signed.kid, claims: claims.claims } : claims;
}

export interface AccessTokenTrust {
  keyOf: KeyOf;
  issuer: string;
  /** The verifier's own name. */
  audience: string;
  nowMs: number;
  /** For `iat` and `nbf` alone. A token is never good after its end: the proof of that end has waited for our clock already. */
  leewayMs?: number;
}

/**
 * After `ok`, the issuer has granted this to the holder of `cnf.jkt`, for now. Whether the holder asks (DPoP), whether the lease has
 * been revoked, and whether the details cover the act, is for the caller.
 */
export function verifyAccessToken(
  token: string,
  { keyOf, issuer, audience, nowMs, leewayMs = LEEWAY_MS }: AccessTokenTrust,
): Checked<{ claims: AccessTokenClaims }> {
  const reading = readSignedToken(token, 'at+jwt', MAX_ACCESS_TOKEN_CHARS);
  if (!reading.ok) return reading;
  const { signed } = reading;
  const form = readClaims(signed.claims);
  if (!form.ok) return form;
  const { claims } = form;
  if (claims.iss !== issuer) return refuse('ERR_TOKEN_ISSUER', 'the token is of another issuer');
  if (claims.aud !== audience) return refuse('ERR_TOKEN_AUDIENCE', 'the token is for somebody else');
  const authentic = verifySignature(signed, keyOf);
  if (!authentic.ok) return authentic;
  if (nowMs >= claims.exp * 1000) return refuse('ERR_TOKEN_EXPIRED', 'the token has expired');
  if (notBefore(signed.claims, claims) * 1000 > nowMs + leewayMs)
    return refuse('ERR_TOKEN_EARLY', 'the token is not valid yet');
  return { ok: true, claims };
}

/** We write no `nbf`, but honour one (RFC 7519 §4.1.5). */
const notBefore = ({ nbf }: Record<string, unknown>, { iat }: AccessTokenClaims) =>
  Math.max(iat, typeof nbf === 'number' ? nbf : 0);

function readClaims(given: Record<string, unknown>): Checked<{ claims: AccessTokenClaims }> {
  const {
    iss,
    sub,
    aud,
    client_id,
    iat,
    exp,
    nbf,
    jti,
    cnf,
    lineage,
    agent_generation,
    arguments_sha256,
    status,
  } = given;
  if (!isName(iss, 2048)) return refuse('ERR_TOKEN_ISSUER', 'the token does not say who issued it');
  if (!isName(aud, 2048)) return refuse('ERR_TOKEN_AUDIENCE', 'the token is not for exactly one audience');
  if (!isText(sub, 512) || !isName(client_id, 2048) || !isName(jti, 256))
    return malformed('the token lacks its subject, its client or its id');
  if (!isSeconds(iat) || !isSeconds(exp) || (nbf !== undefined && !isSeconds(nbf)) || exp < iat)
    return malformed('the token does not say from when until when it is valid');
  if (!hasOnly(cnf, ['jkt']) || !isThumbprint(cnf.jkt))
    return malformed('the token is not bound to a key, or to more than a key');
  const details = readAuthorizationDetails(given.authorization_details);
  if (!details.ok) return details;
  const actor = readActor(given.act);
  if (!actor.ok) return actor;
  if (actor.act.sub !== client_id)
    return refuse('ERR_TOKEN_ACTOR', 'the client of the token is not who acts');
  if (!isLineage(lineage)) return malformed('the token does not name its task and its ancestors');
  if (details.details.some(({ task }) => task !== lineage[0].taskId))
    return refuse('ERR_TOKEN_DETAILS', 'an authorization detail is of another task');
  if (agent_generation !== undefined && !isCount(agent_generation, 1))
    return malformed('the token has a malformed generation of its agent');
  if (arguments_sha256 !== undefined && !isSha256Hex(arguments_sha256))
    return malformed('the token has a malformed digest of the arguments');
  if (status !== undefined && !isStatus(status)) return malformed('the token has a malformed status');
  const { act } = actor;
  const claims: AccessTokenClaims = {
    iss,
    sub,
    aud,
    client_id,
    iat,
    exp,
    jti,
    cnf: { jkt: cnf.jkt },
    authorization_details: details.details,
    act,
    lineage: lineage.map(({ taskId, generation }) => ({ taskId, generation })),
    ...(agent_generation !== undefined && { agent_generation }),
    ...(arguments_sha256 !== undefined && { arguments_sha256 }),
    ...(status !== undefined && {
      status: { status_list: { idx: status.status_list.idx, uri: status.status_list.uri } },
    }),
  };
  return { ok: true, claims };
}

const isLineage = (value: unknown): value is [LineageEntry, ...LineageEntry[]] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_LINEAGE &&
  value.every(
    (each) => hasOnly(each, ['taskId', 'generation']) && isName(each.taskId) && isCount(each.generation, 1),
  ) &&
  new Set((value as LineageEntry[]).map(({ taskId }) => taskId)).size === value.length;

/** Another way of saying the status is refused: one that is not looked at is as good as none. */
const isStatus = (value: unknown): value is { status_list: { idx: number; uri: string } } =>
  hasOnly(value, ['status_list']) &&
  hasOnly(value.status_list, ['idx', 'uri']) &&
  isCount(value.status_list.idx, 0) &&
  isName(value.status_list.uri, 2048);
