/**
 * The token of the person on whose behalf a task runs, beside the sender's own. It travels on a topic, so it proves one thing only: that
 * this person had signed in when the task was declared. It lets nobody act; the sender is proved apart.
 */
import { isEarly, isExpired, isOnlyFor, readTokenParts } from './identity-token.js';
import { personOf } from './oidc-token.js';
import { refuse, type Checked, type Refused } from './refuse.js';
import { boundAudience } from './svid.js';
import type { Trust } from './trust.js';

export interface PrincipalProof {
  /** `iss` of the person's token. */
  issuer: string;
  /** Such as `user:maria@corp.example`: the declared principal. */
  subject: string;
}

/** Whatever is wrong, it is the principal that is not proved: `fields.cause` says how. */
const invalid = ({ refusal }: Refused) =>
  refuse('ERR_PRINCIPAL_INVALID', refusal.reason, { cause: refusal.code });

/**
 * @param keyThumbprint of the proof key: a person's token may be bound to it, and need not, because few issuers let one choose.
 * @param atMs when the record was appended
 */
export function provePrincipal(
  personToken: string,
  principal: string,
  keyThumbprint: string,
  trust: Trust,
  atMs: number,
): Checked<{ principalProof: PrincipalProof }> {
  const reading = readTokenParts(personToken);
  if (!reading.ok) return invalid(reading);
  const { parts } = reading;
  const issuer = typeof parts.claims.iss === 'string' ? trust.oidc(parts.claims.iss) : undefined;
  if (issuer === undefined)
    return refuse('ERR_PRINCIPAL_INVALID', 'the issuer of the token is not trusted here');
  const person = personOf(parts, issuer);
  if (!person.ok) return invalid(person);
  const { oidc } = person;
  if (oidc.subject !== principal)
    return refuse('ERR_PRINCIPAL_MISMATCH', 'the token is of another person than the principal');
  const { audience } = issuer.domain;
  if (!isOnlyFor(oidc, audience) && !isOnlyFor(oidc, boundAudience(audience, keyThumbprint)))
    return refuse('ERR_PRINCIPAL_INVALID', 'the token is not for this service alone');
  if (isEarly(oidc, atMs) || isExpired(oidc, atMs))
    return refuse('ERR_PRINCIPAL_INVALID', 'the token was not valid when the record was appended');
  const authentic = trust.tokens.authenticate(oidc, issuer.domain, atMs);
  if (!authentic.ok) return invalid(authentic);
  return { ok: true, principalProof: { issuer: issuer.domain.name, subject: oidc.subject } };
}
