/**
 * Whether a request may do what it is about to do: what a downstream service asks before each act. Signature, audience, expiry, the
 * holder's proof, that the grant covers this tool, dataset, action and these arguments, and that the lease lives at this moment.
 */
import { createHash, type KeyObject } from 'node:crypto';
import { canonical } from '#events/jcs.js';
import { BoundedMap } from '#identity/bounded-map.js';
import { DPOP_WINDOW_MS, verifyDpop, type DpopProof } from '#identity/dpop.js';
import type { AccessTokenClaims } from '#tokens/access-token.js';
import { covers } from '#tokens/authorization-detail.js';
import { unreachable } from '#events/unreachable.js';
import type { Introspect } from './introspection-client.js';
import type { TokenKeys } from './issuer-keys.js';
import type { Life, LifeSource, VerifiedToken } from './life.js';
import { no, refuseRequest, type Step, type VerifierRefusal } from './refusal.js';
import { ReplayCache } from './replay-cache.js';
import { TokenCheck } from './token-check.js';

/** The act that the service is about to do for the caller. */
export interface RequestedAct {
  tool: string;
  dataset?: string;
  action: string;
  /** The tool's arguments as the service will use them, as JSON values; compared if the token is bound to some. */
  arguments?: unknown;
}

export interface RequestToCheck extends RequestedAct {
  method: string;
  /** As the client knows it: scheme, host, path. Behind a proxy, the public one. */
  url: string;
  /** The header `Authorization`. */
  authorization?: string | undefined;
  /** The header `DPoP`, all that came. */
  dpop?: string | readonly string[] | undefined;
}

export interface Accepted {
  ok: true;
  /** SPIFFE id of who acts. */
  agent: string;
  /** On whose behalf. */
  principal: string;
  task: string;
  lease: string;
  /** All that the grant allows on this tool and dataset. */
  actions: readonly string[];
  claims: AccessTokenClaims;
}

export type Verdict = Accepted | VerifierRefusal;

/** What to do with an action when it is not known whether the lease lives. */
export type WhenUnknown = 'refuse' | 'introspect';

export interface VerifierOptions {
  /** The broker, as in `iss`. */
  issuer: string;
  /** This service, as in `aud`. */
  audience: string;
  keys: TokenKeys;
  life: LifeSource;
  introspect?: Introspect;
  /** Default: `read` is asked about, anything else is refused. */
  whenUnknown?: (action: string) => WhenUnknown;
  replays?: ReplayCache;
  /** For `WWW-Authenticate` (RFC 9728). */
  resourceMetadata?: string;
  clock?: () => number;
}

/** Imported, by thumbprint: of those alone to whom the issuer has bound a token, so strangers push nothing out. */
type HolderKeys = BoundedMap<string, KeyObject>;
const MAX_HOLDERS = 1_000;

export interface Verifier {
  /** Never rejects, whatever strings and JSON values it is given; what is no string is not taken for one. */
  check(request: RequestToCheck): Promise<Verdict>;
}

export function createVerifier(options: VerifierOptions): Verifier {
  const { resourceMetadata } = options;
  const check = checksOf(options);
  return {
    check: async (request) => {
      const verdict = await check(request);
      return verdict.ok ? verdict : refuseRequest(verdict.code, verdict.reason, resourceMetadata);
    },
  };
}

function checksOf(options: VerifierOptions) {
  const { audience, life, introspect, clock = Date.now } = options;
  const whenUnknown = options.whenUnknown ?? ((action) => (action === 'read' ? 'introspect' : 'refuse'));
  const replays = options.replays ?? new ReplayCache();
  const tokens = new TokenCheck(options);
  const holders: HolderKeys = new BoundedMap(MAX_HOLDERS);

  return async (request: RequestToCheck): Promise<Step<Accepted>> => {
    const presented = tokenIn(request.authorization);
    if (!presented.ok) return presented;
    const { token } = presented;
    const verified = await tokens.verify(token, clock());
    if (!verified.ok) return verified;
    const proof = holderOf(request, token, verified.claims, holders, clock());
    if (!proof.ok) return proof;
    const granted = grantFor(request, verified.claims, audience);
    if (!granted.ok) return granted;
    const alive = await isAlive(verified, token, request.action);
    if (!alive.ok) return alive;
    // Last: only a request that would pass uses a proof up, and nobody else can fill the cache.
    const used = useOnce(proof, clock());
    return used.ok ? accept(verified.claims, granted.actions) : used;
  };

  async function isAlive(token: VerifiedToken, text: string, action: string): Promise<Step<object>> {
    const lives: Life = await life.lifeOf(token, clock());
    switch (lives) {
      case 'live':
        return { ok: true };
      case 'dead':
        return no('ERR_TOKEN_REVOKED', 'the lease is over');
      case 'unknown':
        break;
      default:
        return unreachable(lives);
    }
    if (introspect === undefined || whenUnknown(action) !== 'introspect')
      return no('ERR_REVOCATION_UNKNOWN', 'it is not known whether the lease lives');
    try {
      if ((await introspect(text, token.claims)) === 'active') return { ok: true };
    } catch {
      return no('ERR_INTROSPECTION_FAILED', 'it is not known whether the lease lives, and nobody answers');
    }
    return no('ERR_TOKEN_INACTIVE', 'the broker says that the token is not active');
  }

  function useOnce({ jkt, jti, iatMs }: DpopProof, nowMs: number): Step<object> {
    const taken = replays.take(jkt, jti, iatMs + DPOP_WINDOW_MS, nowMs);
    switch (taken) {
      case 'new':
        return { ok: true };
      case 'replayed':
        return no('ERR_DPOP_REPLAYED', 'the proof was used before');
      case 'full':
        return no('ERR_DPOP_REPLAYS_FULL', 'no more proofs can be remembered');
      default:
        return unreachable(taken);
    }
  }
}

/** `Authorization: DPoP <token>` (RFC 9449 §7.1). A bearer token would be good for whoever finds it. */
function tokenIn(authorization: string | undefined): Step<{ token: string }> {
  if (typeof authorization !== 'string' || authorization === '')
    return no('ERR_TOKEN_MISSING', 'the request brings no token');
  const space = authorization.indexOf(' ');
  if (authorization.slice(0, space).toLowerCase() !== 'dpop')
    return no('ERR_TOKEN_SCHEME', 'the token is not presented with the scheme DPoP');
  return { ok: true, token: authorization.slice(space + 1) };
}

/** That whoever sends the request holds the key to which the token is bound. */
function holderOf(
  { method, url, dpop }: RequestToCheck,
  token: string,
  { cnf }: AccessTokenClaims,
  holders: HolderKeys,
  nowMs: number,
): Step<DpopProof> {
  const [proof, another] = Array.isArray(dpop) ? (dpop as unknown[]) : [dpop];
  if (another !== undefined) return no('ERR_DPOP_DOUBLED', 'the request brings more than one proof');
  if (typeof proof !== 'string' || proof === '')
    return no('ERR_DPOP_MISSING', 'the request brings no proof of the key');
  const knownKey = (jkt: string) => holders.get(jkt);
  const verified = verifyDpop(proof, { method, url, accessToken: token, knownKey }, nowMs);
  if (!verified.ok) return no(verified.refusal.code, verified.refusal.reason);
  if (verified.jkt !== cnf.jkt)
    return no('ERR_DPOP_OTHER_KEY', 'the token is bound to another key than the proof');
  holders.set(verified.jkt, verified.key);
  return verified;
}

/** That one detail of the grant covers the act, and that the arguments are those that were decided on. */
function grantFor(
  { tool, dataset, action, arguments: given }: RequestToCheck,
  { authorization_details, arguments_sha256 }: AccessTokenClaims,
  audience: string,
): Step<{ actions: readonly string[] }> {
  const act = { audience, tool, action, ...(dataset === undefined ? {} : { dataset }) };
  const detail = authorization_details.find((each) => covers(each, act));
  if (detail === undefined) return no('ERR_ACT_NOT_GRANTED', 'the token does not grant this act');
  if (arguments_sha256 !== undefined) {
    const digest = digestOf(given);
    if (digest === undefined)
      return no(
        'ERR_ARGUMENTS_MISSING',
        'the token is bound to arguments, and none came that can be compared',
      );
    if (digest !== arguments_sha256)
      return no('ERR_ARGUMENTS_MISMATCH', 'the token was granted for other arguments');
  }
  return { ok: true, actions: detail.actions };
}

/** SHA-256 of the JCS (RFC 8785), lower-case hex; undefined for what JSON cannot hold. */
function digestOf(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  try {
    return createHash('sha256').update(canonical(value)).digest('hex');
  } catch {
    return undefined;
  }
}

function accept(claims: AccessTokenClaims, actions: readonly string[]): Step<Accepted> {
  const { client_id: agent, sub: principal, jti: lease, lineage } = claims;
  return { ok: true, agent, principal, task: lineage[0]?.taskId ?? '', lease, actions, claims };
}
