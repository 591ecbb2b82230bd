/** The token of whoever sends: a JWT-SVID, or a workload's OIDC token. */
import { readTokenParts, type IdentityToken } from './identity-token.js';
import { workloadOf } from './oidc-token.js';
import { refuse, type Checked } from './refuse.js';
import { svidOf } from './svid.js';
import type { TrustDomain } from './trust-domain.js';
import type { Trust } from './trust.js';

export interface SenderToken {
  token: IdentityToken;
  /** Undefined: its trust domain is not trusted. */
  domain: TrustDomain | undefined;
}

/**
 * Form and claims; no signature. A subject that is a SPIFFE id is an SVID's, whoever issued it: no OIDC issuer can name one but by a
 * rule of the configuration. Whatever else says who issued it is an OIDC token.
 */
export function readSenderToken(token: string, trust: Trust): Checked<SenderToken> {
  const reading = readTokenParts(token);
  if (!reading.ok) return reading;
  const { parts } = reading;
  const { iss, sub } = parts.claims;
  if (typeof iss !== 'string' || (typeof sub === 'string' && sub.startsWith('spiffe://'))) {
    const svid = svidOf(parts);
    return svid.ok ? { ok: true, token: svid.svid, domain: trust.domain(svid.svid.issuer) } : svid;
  }
  const issuer = trust.oidc(iss);
  if (issuer === undefined)
    return refuse('ERR_SVID_UNTRUSTED', 'the issuer of the token is not trusted here');
  const workload = workloadOf(parts, issuer);
  return workload.ok ? { ok: true, token: workload.oidc, domain: issuer.domain } : workload;
}
