/** Tokens as Kubernetes, GitHub and an identity provider of persons make them, and trust in the three. */
import { parseJwks } from '../src/bundle.js';
import type { OidcIssuer } from '../src/oidc-token.js';
import { mapSubjects } from '../src/subject-rules.js';
import { TrustDomain } from '../src/trust-domain.js';
import { Trust } from '../src/trust.js';
import {
  AGENT,
  AGENT_KEY,
  ISSUER_KEY,
  KID,
  NOW_S,
  bundleOf,
  keyObject,
  publicOf,
  sourceOf,
  thumbprintOf,
  token,
} from './fixtures.js';

export const BOUND = `mayfly:jkt:${thumbprintOf(publicOf(AGENT_KEY))}`;
export const DEPLOYER = 'spiffe://corp.example/ci/deployer';
export const BATCH = 'spiffe://corp.example/agent/batch';

/** kubernetes.io, "Configure Service Accounts for Pods", a bound token. */
export const KUBERNETES = {
  iss: 'https://kubernetes.corp.example',
  sub: 'system:serviceaccount:agents:analyst',
  aud: [BOUND],
  iat: NOW_S - 60,
  nbf: NOW_S - 60,
  exp: NOW_S + 540,
  jti: '0e6d5c4b-0000-4000-8000-00000000000a',
  'kubernetes.io': {
    namespace: 'agents',
    node: { name: 'node-1', uid: '0e6d5c4b-0000-4000-8000-00000000000b' },
    pod: { name: 'analyst-0', uid: '0e6d5c4b-0000-4000-8000-00000000000c' },
    serviceaccount: { name: 'analyst', uid: '6f1c2d3e-0000-4000-8000-000000000001' },
  },
};

/** docs.github.com, "OpenID Connect reference". */
export const GITHUB = {
  iss: 'https://token.actions.githubusercontent.com',
  sub: 'repo:octo/app:environment:production',
  aud: BOUND,
  iat: NOW_S - 5,
  nbf: NOW_S - 605,
  exp: NOW_S + 295,
  jti: '0e6d5c4b-0000-4000-8000-00000000000d',
  ref: 'refs/heads/main',
  repository: 'octo/app',
  repository_id: '123456',
  repository_owner: 'octo',
  repository_owner_id: '654321',
  environment: 'production',
  job_workflow_ref: 'octo/automation/.github/workflows/deploy.yml@refs/heads/main',
};

export const GENERIC = {
  iss: 'https://login.corp.example',
  sub: 'batch-7',
  aud: [BOUND],
  iat: NOW_S - 5,
  exp: NOW_S + 295,
  azp: 'batch',
};

export const MARIA = {
  iss: 'https://login.corp.example',
  sub: '00u1',
  aud: 'mayfly',
  iat: NOW_S - 5,
  exp: NOW_S + 295,
  email: 'maria@corp.example',
  email_verified: true,
};

/** An honest token of any of them, but for what is said. */
export const oidc = (claims: object, header: object = {}, key = ISSUER_KEY) =>
  token({ alg: 'ES256', typ: 'JWT', kid: KID, ...header }, claims, keyObject(key));

export const JWK = { ...publicOf(ISSUER_KEY), kid: KID, use: 'sig', alg: 'ES256' };

const domainOf = (iss: string, ...keys: object[]) =>
  new TrustDomain(iss, 'mayfly', false, parseJwks(bundleOf(...keys), 'jwks.json'));

/** Trust in the three issuers, which sign with the same key here. */
export function oidcTrust(...keys: object[]): Trust {
  const jwks = keys.length === 0 ? [JWK] : keys;
  const issuers: OidcIssuer[] = [
    {
      domain: domainOf(KUBERNETES.iss, ...jwks),
      mapSubject: mapSubjects([
        {
          id: AGENT,
          kubernetes: { namespace: 'agents', serviceAccountUid: '6f1c2d3e-0000-4000-8000-000000000001' },
        },
      ]),
    },
    {
      domain: domainOf(GITHUB.iss, ...jwks),
      mapSubject: mapSubjects([
        {
          id: DEPLOYER,
          github: {
            repositoryId: '123456',
            repositoryOwnerId: '654321',
            jobWorkflowRef: 'octo/automation/.github/workflows/deploy.yml@refs/heads/main',
            environment: 'production',
          },
        },
      ]),
    },
    {
      domain: domainOf(GENERIC.iss, ...jwks),
      mapSubject: mapSubjects([
        { id: BATCH, claims: { azp: 'batch', sub: 'batch-7' } },
        { id: 'spiffe://corp.example/agent/any', claims: { azp: 'batch' } },
      ]),
      persons: { claim: 'email', domain: 'corp.example' },
    },
  ];
  return new Trust(issuers.map((issuer) => ({ source: sourceOf(issuer.domain), oidc: issuer })));
}
