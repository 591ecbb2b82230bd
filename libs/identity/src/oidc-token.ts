/**
 * OIDC tokens (OpenID Connect Core §2, RFC 8725) of workloads and of persons. The issuer is looked up in the configuration by the
 * token's `iss`; nothing in a token says where a key is. Reading proves nothing.
 */
import { OIDC_ALGORITHMS } from './bundle.js';
import { sha256Hex } from './bytes.js';
import { readValidity, type IdentityToken, type TokenParts } from './identity-token.js';
import { algorithmOf } from './jws.js';
import { refuse, type Checked } from './refuse.js';
import type { MapSubject } from './subject-rules.js';
import type { TrustDomain } from './trust-domain.js';

export interface OidcIssuer {
  /** Its keys; its `name` is the `iss`. */
  domain: TrustDomain;
  mapSubject: MapSubject;
  persons?: PersonClaim;
}

/** Where a person's name is: `user:<value of the claim>`. */
export interface PersonClaim {
  /** An address that ends with `@<domain>`. That it is the person's the issuer must have verified, if it is `email`. */
  claim: string;
  domain: string;
  /**
   * Audience of the tokens with which they sign in here, and act. Never that of the tokens that prove a principal: those travel on a
   * topic, where whoever reads it could take one. Absent: `<audience>:sign-in`.
   */
  signInAudience?: string | undefined;
}

/** Header parameters that bring a key, or say where one is. */
const KEYS_IN_HEADER = ['jwk', 'jku', 'x5u', 'x5c'] as const;

const invalid = (reason: string) => refuse('ERR_SVID_INVALID', reason);

/**
 * A workload's token, by the issuer that its `iss` names. Never a person's: theirs travel on a topic with a plain audience, where
 * whoever reads it could take one and act by it.
 */
export function workloadOf(parts: TokenParts, issuer: OidcIssuer): Checked<{ oidc: IdentityToken }> {
  const reading = readOidc(parts, issuer);
  if (!reading.ok) return reading;
  if (issuer.persons !== undefined && isAddressIn(parts.claims[issuer.persons.claim], issuer.persons.domain))
    return refuse('ERR_SUBJECT_UNMAPPED', 'the token is of a person, not of a workload');
  const subject = issuer.mapSubject(parts.claims);
  if (subject === undefined)
    return refuse('ERR_SUBJECT_UNMAPPED', 'no rule of the issuer says who the bearer of the token is here');
  return { ok: true, oidc: { ...reading.oidc, subject } };
}

/** A person's token: subject `user:maria@corp.example`. */
export function personOf(parts: TokenParts, issuer: OidcIssuer): Checked<{ oidc: IdentityToken }> {
  const { persons } = issuer;
  if (persons === undefined) return refuse('ERR_SVID_UNTRUSTED', 'the issuer is not trusted to name persons');
  const reading = readOidc(parts, issuer);
  if (!reading.ok) return reading;
  const { [persons.claim]: value, email_verified: verified } = parts.claims;
  if (!isAddressIn(value, persons.domain))
    return refuse('ERR_SUBJECT_UNMAPPED', 'the token names no person of the domain of its issuer');
  if (persons.claim === 'email' && verified !== true)
    return refuse('ERR_SUBJECT_UNMAPPED', 'the issuer has not verified the address of the person');
  return { ok: true, oidc: { ...reading.oidc, subject: `user:${value}` } };
}

/** One `@`, before it what no other form could be mistaken for; capitals would make two names of one person. */
const isAddressIn = (value: unknown, domain: string): value is string =>
  typeof value === 'string' &&
  value.length <= 254 &&
  value.endsWith(`@${domain}`) &&
  /^[a-z0-9._+-]+@[a-z0-9.-]+$/.test(value);

function readOidc(
  { token, jws, claims }: TokenParts,
  { domain }: OidcIssuer,
): Checked<{ oidc: IdentityToken }> {
  const algorithm = algorithmOf(jws, OIDC_ALGORITHMS);
  if (algorithm === undefined) return invalid('the token is signed with an algorithm that is not allowed');
  const { kid, typ } = jws.header;
  if (KEYS_IN_HEADER.some((member) => Object.hasOwn(jws.header, member)))
    return invalid('the token brings its own key');
  // Access tokens, proofs and security events of the same issuer say what they are (RFC 8725 §3.11).
  if (typ !== undefined && !(typeof typ === 'string' && typ.toUpperCase() === 'JWT'))
    return invalid('the token has another typ');
  if (typeof kid !== 'string' || kid === '') return invalid('the token names no key');
  if (claims.iss !== domain.name) return refuse('ERR_SVID_UNTRUSTED', 'the token is of another issuer');
  if (typeof claims.sub !== 'string' || claims.sub === '') return invalid('the token has no subject');
  const validity = readValidity(claims);
  if (!validity.ok) return validity;
  const { ok: _ok, ...valid } = validity;
  return {
    ok: true,
    oidc: {
      sha256: sha256Hex(token),
      subject: claims.sub,
      issuer: domain.name,
      ...valid,
      kid,
      algorithm,
      jws,
    },
  };
}
