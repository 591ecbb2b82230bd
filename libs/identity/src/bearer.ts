/** JWT-SVIDs and workloads' OIDC tokens as bearer tokens over HTTP: a plain audience, good only where the transport keeps the token secret. */
import { isEarly, isExpired, isOnlyFor } from './identity-token.js';
import { refuse, type Checked } from './refuse.js';
import { readSenderToken } from './sender-token.js';
import type { Trust } from './trust.js';

/**
 * Who calls. The caller MUST have received the token over TLS, or on loopback in development; never from a topic.
 * @param nowMs the time of arrival.
 * @param audience where the token is for something else than the issuer's plain audience: an OAuth client names the authorization server.
 * @returns the SPIFFE id, or why not; a token bound to a proof key is not a bearer token and is refused.
 */
export function verifyBearer(
  token: string,
  trust: Trust,
  nowMs: number,
  audience?: string,
): Checked<{ id: string; sha256: string; expiresAtMs: number }> {
  const reading = readSenderToken(token, trust);
  if (!reading.ok) return reading;
  const { token: svid, domain } = reading;
  if (domain === undefined)
    return refuse('ERR_SVID_UNTRUSTED', 'the trust domain of the SVID is not trusted here');
  if (!isOnlyFor(svid, audience ?? domain.audience))
    return refuse('ERR_SVID_INVALID', 'the SVID is not for this service alone');
  if (isEarly(svid, nowMs)) return refuse('ERR_SVID_INVALID', 'the SVID is not valid yet');
  if (isExpired(svid, nowMs)) return refuse('ERR_SVID_EXPIRED', 'the SVID has expired');
  const authentic = trust.tokens.authenticate(svid, domain, nowMs);
  if (!authentic.ok) return authentic;
  const { subject: id, sha256, expiresAtMs } = svid;
  return { ok: true, id, sha256, expiresAtMs };
}
