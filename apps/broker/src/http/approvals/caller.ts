/** Who asks: a person who has signed in, or a service by its SVID, with a role in the catalogue. */
import type { IncomingMessage } from 'node:http';
import type { Catalogue, OperatorEntry } from '#events/catalogue.js';
import type { Refusal } from '#events/refusal.js';
import { verifyBearer } from '#identity/bearer.js';
import { readTokenParts } from '#identity/identity-token.js';
import { SIGN_IN_MAX_MS, verifySignIn } from '#identity/sign-in.js';
import type { Trust } from '#identity/trust.js';
import { bearerTokenOf } from '../bearer.js';

type Caller = { ok: true; id: string } | { ok: false; refusal: Refusal };

/** @throws TransportError ERR_BEARER_MISSING where there is no token at all */
export function callerOf(request: IncomingMessage, trust: Trust, nowMs: number): Caller {
  const token = bearerTokenOf(request);
  return isOfPeople(token, trust) ? verifySignIn(token, trust, nowMs) : serviceOf(token, trust, nowMs);
}

function isOfPeople(token: string, trust: Trust): boolean {
  const reading = readTokenParts(token);
  const iss = reading.ok ? reading.parts.claims.iss : undefined;
  return typeof iss === 'string' && trust.oidc(iss)?.persons !== undefined;
}

function serviceOf(token: string, trust: Trust, nowMs: number): Caller {
  const verified = verifyBearer(token, trust, nowMs);
  if (verified.ok && verified.expiresAtMs - nowMs > SIGN_IN_MAX_MS)
    return {
      ok: false,
      refusal: { code: 'ERR_SVID_INVALID', reason: 'the token is valid for more than 5 minutes' },
    };
  return verified;
}

const MAY_READ: readonly OperatorEntry['roles'][number][] = ['approver', 'operator'];

export const mayRead = (id: string, { operators }: Catalogue): boolean =>
  operators.get(id)?.roles.some((role) => MAY_READ.includes(role)) === true;
