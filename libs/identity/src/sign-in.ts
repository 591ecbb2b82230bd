/** A person who acts here: an OIDC token for this purpose alone, young, sent over a way that nobody else could read. */
import { isEarly, isExpired, isOnlyFor, readTokenParts } from './identity-token.js';
import { personOf } from './oidc-token.js';
import { refuse, type Checked } from './refuse.js';
import type { Trust } from './trust.js';

/** A word on a call is worth more than the token it is said with: that one must not lie about for long. */
export const SIGN_IN_MAX_MS = 300_000;

/** The audience of such tokens, where the issuer's configuration names none. */
export const signInAudience = (audience: string): string => `${audience}:sign-in`;

/**
 * Who has signed in. The caller MUST have received the token over TLS, or on loopback in development; never from a topic.
 * @param nowMs the time of arrival.
 * @returns the person, such as `user:olga@corp.example`, or why not.
 */
export function verifySignIn(token: string, trust: Trust, nowMs: number): Checked<{ id: string }> {
  const reading = readTokenParts(token);
  if (!reading.ok) return reading;
  const { parts } = reading;
  const issuer = typeof parts.claims.iss === 'string' ? trust.oidc(parts.claims.iss) : undefined;
  if (issuer === undefined)
    return refuse('ERR_SVID_UNTRUSTED', 'the issuer of the token is not trusted here');
  const person = personOf(parts, issuer);
  if (!person.ok) return person;
  const { oidc } = person;
  const { audience } = issuer.domain;
  if (!isOnlyFor(oidc, issuer.persons?.signInAudience ?? signInAudience(audience)))
    return refuse('ERR_SVID_INVALID', 'the token is not for signing in here alone');
  if (oidc.expiresAtMs - oidc.issuedAtMs > SIGN_IN_MAX_MS)
    return refuse('ERR_SVID_INVALID', 'the token of a person is valid for more than 5 minutes');
  if (isEarly(oidc, nowMs)) return refuse('ERR_SVID_INVALID', 'the token is not valid yet');
  if (isExpired(oidc, nowMs)) return refuse('ERR_SVID_EXPIRED', 'the token has expired');
  const authentic = trust.tokens.authenticate(oidc, issuer.domain, nowMs);
  if (!authentic.ok) return authentic;
  return { ok: true, id: oidc.subject };
}
