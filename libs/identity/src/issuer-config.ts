/** `trust.issuers` of the configuration, as it is written. */
import { IdentityError } from './errors.js';
import type { PersonClaim } from './oidc-token.js';
import { isTrustDomain } from './spiffe-id.js';
import type { SubjectRule } from './subject-rules.js';

export interface SpiffeIssuer {
  type: 'spiffe';
  trustDomain: string;
  /** The trust domain's SPIFFE bundle: a file, `https://…`, or `unix:///…` of the Workload API. */
  bundle: string;
  /** Plain audience of tokens meant for us; on the bus it is followed by `:jkt:<thumbprint of the proof key>`. */
  audience: string;
  /** Its key lies in a file of this machine: believed only where `environment` is `development`. */
  development?: boolean;
  /** How long the bundle is believed while it cannot be read again; 24 h if absent. */
  maxStaleMs?: number;
}

export interface OidcIssuerConfig {
  type: 'oidc';
  /** `iss` of its tokens, exactly. */
  issuer: string;
  /** Its JWK Set: a file or `https://…`. Never found out from a token. */
  jwks: string;
  audience: string;
  /** Workloads: the first rule that matches says who it is. */
  subjects?: readonly SubjectRule[];
  /** Absent: the issuer names no persons. */
  persons?: PersonClaim;
  /** Its key lies in a file of this machine: believed only where `environment` is `development`. */
  development?: boolean;
  maxStaleMs?: number;
}

export type IssuerConfig = SpiffeIssuer | OidcIssuerConfig;

export const invalidIssuer = (message: string, fields: Record<string, string> = {}) =>
  new IdentityError('ERR_IDENTITY_ISSUER_INVALID', message, fields);

/** @throws IdentityError ERR_IDENTITY_ISSUER_INVALID, ERR_IDENTITY_DEVELOPMENT_ONLY */
export function demandSound(config: IssuerConfig, environment: string): void {
  if (config.audience === '') throw invalidIssuer('an issuer needs an audience');
  if (config.development === true && environment !== 'development')
    throw new IdentityError(
      'ERR_IDENTITY_DEVELOPMENT_ONLY',
      'a development issuer needs the environment development',
      { issuer: config.type === 'spiffe' ? config.trustDomain : config.issuer, environment },
    );
  if (config.type === 'oidc') {
    if (!/^https:\/\/[^\s?#]+$/.test(config.issuer)) throw invalidIssuer('an OIDC issuer is an https URL');
    // GitHub's own choice when a workflow names none: anybody's token for that owner would be meant for us.
    if (/^https:\/\/github\.com(\/|$)/.test(config.audience))
      throw invalidIssuer('the audience is one that GitHub gives unasked: choose another', {
        audience: config.audience,
      });
    if (config.persons?.signInAudience === config.audience)
      throw invalidIssuer('persons sign in with another audience than that of principals', {
        audience: config.audience,
      });
    return;
  }
  const { trustDomain } = config;
  if (!isTrustDomain(trustDomain)) throw invalidIssuer('not a trust domain', { trustDomain });
}
