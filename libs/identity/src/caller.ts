/** Who asks over HTTP: a person who has signed in, or a service by its SVID. The role is for the one who asks to look at. */
import { verifyBearer } from './bearer.js';
import { readTokenParts } from './identity-token.js';
import { refuse, type Checked } from './refuse.js';
import { SIGN_IN_MAX_MS, verifySignIn } from './sign-in.js';
import type { Trust } from './trust.js';

/**
 * The caller MUST have received the token over TLS, or on loopback in development; never from a topic.
 * @param nowMs the time of arrival
 * @returns `user:olga@corp.example`, or a SPIFFE id
 */
export const verifyCaller = (token: string, trust: Trust, nowMs: number): Checked<{ id: string }> =>
  isOfPeople(token, trust) ? verifySignIn(token, trust, nowMs) : serviceOf(token, trust, nowMs);

function isOfPeople(token: string, trust: Trust): boolean {
  const reading = readTokenParts(token);
  const iss = reading.ok ? reading.parts.claims.iss : undefined;
  return typeof iss === 'string' && trust.oidc(iss)?.persons !== undefined;
}

function serviceOf(token: string, trust: Trust, nowMs: number): Checked<{ id: string }> {
  const verified = verifyBearer(token, trust, nowMs);
  if (verified.ok && verified.expiresAtMs - nowMs > SIGN_IN_MAX_MS)
    return refuse('ERR_SVID_INVALID', 'the token is valid for more than 5 minutes');
  return verified;
}
