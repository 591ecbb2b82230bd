import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { RefusalCode } from '#events/refusal.js';
import {
  AGENT,
  AGENT_KEY,
  APPENDED_AT_MS,
  NOW_S,
  OTHER_KEY,
  publicOf,
  send,
  thumbprintOf,
} from '../test/fixtures.js';
import {
  BATCH,
  DEPLOYER,
  GENERIC,
  GITHUB,
  JWK,
  KUBERNETES,
  MARIA,
  oidc,
  oidcTrust,
} from '../test/oidc-fixtures.js';
import { admit } from './admit.js';
import { verifyBearer } from './bearer.js';

const outcomeOf = (svid: string, source = AGENT, trust = oidcTrust()) => {
  const admission = admit(send({ svid, headers: { ce_source: source } }), trust);
  return admission.ok ? admission.admitted.sender : admission.refusal.code;
};

describe('a workload', () => {
  it.each([
    ['of Kubernetes, by the uid of its service account', KUBERNETES, AGENT],
    ['of GitHub Actions, by its repository and workflow', GITHUB, DEPLOYER],
    ['of any issuer, by exact claims, the first rule that matches', GENERIC, BATCH],
    ['that only the second rule knows', { ...GENERIC, sub: 'batch-8' }, 'spiffe://corp.example/agent/any'],
  ])('%s is who the rule says', (_what, claims, id) => {
    expect(outcomeOf(oidc(claims), id)).toBe(id);
  });

  it('may call over HTTP with the plain audience, and is the same there', () => {
    const claims = { ...KUBERNETES, aud: ['mayfly'] };
    expect(verifyBearer(oidc(claims), oidcTrust(), APPENDED_AT_MS)).toMatchObject({ ok: true, id: AGENT });
  });

  it('may end its task with a token that has expired', () => {
    const svid = oidc({ ...KUBERNETES, exp: NOW_S - 10 });
    const data = { taskId: '01936f2e-7c4a-7e11-8a5b-0123456789ab', outcome: 'completed' };
    const record = send({ svid, type: 'dev.mayfly.task.ended.v1', data });
    expect(admit(record, oidcTrust())).toMatchObject({ ok: true, admitted: { svidExpired: true } });
  });
});

describe.each(['RS256', 'PS384', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'])(
  'a token made by jose with %s',
  (alg) => {
    it('is believed where the JWK Set has such a key, and not where the key is for another algorithm', async () => {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const jwk = { ...(await exportJWK(publicKey)), kid: 'k', use: 'sig' };
      const made = await new SignJWT(KUBERNETES)
        .setProtectedHeader({ alg, kid: 'k', typ: 'JWT' })
        .sign(privateKey);
      expect(outcomeOf(made, AGENT, oidcTrust(jwk))).toBe(AGENT);
      expect(outcomeOf(made, AGENT, oidcTrust({ ...jwk, alg: 'RS512' }))).toBe('ERR_SVID_UNTRUSTED');
    });
  },
);

const { 'kubernetes.io': bound, ...unbound } = KUBERNETES;
const k8s = (changed: object) => ({ ...KUBERNETES, 'kubernetes.io': { ...bound, ...changed } });
const BOUND_TO_OTHER = `mayfly:jkt:${thumbprintOf(publicOf(OTHER_KEY))}`;

const hostile: [what: string, svid: () => string, code: RefusalCode][] = [
  [
    'of an issuer nobody trusts',
    () => oidc({ ...KUBERNETES, iss: 'https://evil.example' }),
    'ERR_SVID_UNTRUSTED',
  ],
  [
    'whose issuer has a slash more',
    () => oidc({ ...KUBERNETES, iss: `${KUBERNETES.iss}/` }),
    'ERR_SVID_UNTRUSTED',
  ],
  ['whose subject is a SPIFFE id', () => oidc({ ...KUBERNETES, sub: AGENT }), 'ERR_SVID_UNTRUSTED'],
  ['without a subject', () => oidc({ ...KUBERNETES, sub: undefined }), 'ERR_SVID_INVALID'],
  ['with alg none', () => oidc(KUBERNETES, { alg: 'none' }), 'ERR_SVID_INVALID'],
  ['with alg HS256', () => oidc(KUBERNETES, { alg: 'HS256' }), 'ERR_SVID_INVALID'],
  ['that is an access token', () => oidc(KUBERNETES, { typ: 'at+jwt' }), 'ERR_SVID_INVALID'],
  ['that is a proof', () => oidc(KUBERNETES, { typ: 'dpop+jwt' }), 'ERR_SVID_INVALID'],
  ['that is a security event', () => oidc(KUBERNETES, { typ: 'secevent+jwt' }), 'ERR_SVID_INVALID'],
  [
    'that says where its keys are',
    () => oidc(KUBERNETES, { jku: 'https://evil.example/' }),
    'ERR_SVID_INVALID',
  ],
  [
    'that brings its key',
    () => oidc(KUBERNETES, { jwk: publicOf(OTHER_KEY) }, OTHER_KEY),
    'ERR_SVID_INVALID',
  ],
  ['that names no key', () => oidc(KUBERNETES, { kid: undefined }), 'ERR_SVID_INVALID'],
  ['by a key nobody knows', () => oidc(KUBERNETES, { kid: 'other' }), 'ERR_SVID_UNTRUSTED'],
  ['by another key', () => oidc(KUBERNETES, {}, OTHER_KEY), 'ERR_SVID_INVALID'],
  ['with the plain audience', () => oidc({ ...KUBERNETES, aud: 'mayfly' }), 'ERR_SVID_NOT_BOUND'],
  ['with two audiences', () => oidc({ ...KUBERNETES, aud: [...KUBERNETES.aud, 'x'] }), 'ERR_SVID_NOT_BOUND'],
  ['bound to another key', () => oidc({ ...KUBERNETES, aud: BOUND_TO_OTHER }), 'ERR_SVID_NOT_BOUND'],
  ['without an end', () => oidc({ ...KUBERNETES, exp: undefined }), 'ERR_SVID_INVALID'],
  ['for more than 24 h', () => oidc({ ...KUBERNETES, exp: NOW_S + 86_400 }), 'ERR_SVID_INVALID'],
  ['that has expired', () => oidc({ ...KUBERNETES, exp: NOW_S - 3 }), 'ERR_SVID_EXPIRED'],
  ['for later', () => oidc({ ...KUBERNETES, nbf: NOW_S + 3 }), 'ERR_SVID_INVALID'],
  ['of another namespace', () => oidc(k8s({ namespace: 'default' })), 'ERR_SUBJECT_UNMAPPED'],
  [
    'of an account of the same name',
    () => oidc(k8s({ serviceaccount: { name: 'analyst', uid: 'u-2' } })),
    'ERR_SUBJECT_UNMAPPED',
  ],
  ['of no pod', () => oidc(k8s({ pod: undefined })), 'ERR_SUBJECT_UNMAPPED'],
  ['of a pod without a uid', () => oidc(k8s({ pod: { name: 'analyst-0' } })), 'ERR_SUBJECT_UNMAPPED'],
  ['of no service account', () => oidc(unbound), 'ERR_SUBJECT_UNMAPPED'],
  ['whose binding is text', () => oidc({ ...unbound, 'kubernetes.io': 'agents' }), 'ERR_SUBJECT_UNMAPPED'],
  ['of a fork', () => oidc({ ...GITHUB, repository_id: '999' }), 'ERR_SUBJECT_UNMAPPED'],
  ['whose id is a number', () => oidc({ ...GITHUB, repository_id: 123456 }), 'ERR_SUBJECT_UNMAPPED'],
  ['of another owner', () => oidc({ ...GITHUB, repository_owner_id: '1' }), 'ERR_SUBJECT_UNMAPPED'],
  [
    'of the workflow of another branch',
    () => oidc({ ...GITHUB, job_workflow_ref: GITHUB.job_workflow_ref.replace('main', 'x') }),
    'ERR_SUBJECT_UNMAPPED',
  ],
  ['of another environment', () => oidc({ ...GITHUB, environment: 'staging' }), 'ERR_SUBJECT_UNMAPPED'],
  ['of no environment', () => oidc({ ...GITHUB, environment: undefined }), 'ERR_SUBJECT_UNMAPPED'],
  ['with other claims', () => oidc({ ...GENERIC, azp: ['batch'] }), 'ERR_SUBJECT_UNMAPPED'],
  ['of a person', () => oidc(MARIA), 'ERR_SUBJECT_UNMAPPED'],
  [
    'of a person, though a rule matches it',
    () => oidc({ ...GENERIC, email: MARIA.email, email_verified: false }),
    'ERR_SUBJECT_UNMAPPED',
  ],
];

it.each(hostile)('a token %s is refused', (_what, svid, code) => {
  const admission = admit(send({ svid: svid() }), oidcTrust());
  expect(admission).toMatchObject({ ok: false, refusal: { code } });
  expect(admission).not.toHaveProperty('sender');
});

it('nobody speaks as another than the rule says', () => {
  expect(outcomeOf(oidc(GITHUB), AGENT)).toBe('ERR_SOURCE_MISMATCH');
});

it('a copied token is of no use with another key', () => {
  const record = send({
    svid: oidc(KUBERNETES),
    proofHeader: { jwk: publicOf(OTHER_KEY) },
    proofKey: OTHER_KEY,
  });
  expect(admit(record, oidcTrust())).toMatchObject({ refusal: { code: 'ERR_SVID_NOT_BOUND' } });
});

it('an RSA public key is no shared secret', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k' };
  expect(outcomeOf(oidc(KUBERNETES, { alg: 'HS256', kid: 'k' }), AGENT, oidcTrust(jwk))).toBe(
    'ERR_SVID_INVALID',
  );
});

it('keys that are for something else are no keys', () => {
  for (const jwk of [
    { ...JWK, use: 'enc' },
    { ...JWK, key_ops: ['sign'] },
    { ...JWK, kid: undefined },
    { kty: 'oct', k: 'AAAA', kid: 'k', use: 'enc' },
  ])
    expect(outcomeOf(oidc(KUBERNETES), AGENT, oidcTrust(jwk))).toBe('ERR_SVID_UNTRUSTED');
});

it('a valid token of which anything is changed is never accepted, nor makes the check throw', () => {
  const trust = oidcTrust();
  const valid = oidc({ ...KUBERNETES, aud: 'mayfly' });
  expect(verifyBearer(valid, trust, APPENDED_AT_MS).ok).toBe(true);
  fc.assert(
    fc.property(
      fc.nat(valid.length - 1),
      fc.string({ unit: fc.constantFrom(...'ABCDwxyz0189-_.e'), maxLength: 4 }),
      fc.nat(3),
      (at, text, cut) => {
        const mutant = valid.slice(0, at) + text + valid.slice(at + cut);
        return mutant === valid || !verifyBearer(mutant, trust, APPENDED_AT_MS).ok;
      },
    ),
    { numRuns: 10_000, seed: 20261125 },
  );
});

it('no claims at all make the check throw', () => {
  const trust = oidcTrust();
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (a, b, c) => {
      const claims = { 'kubernetes.io': a, sub: b, aud: c, exp: c, azp: a };
      for (const { iss } of [KUBERNETES, GITHUB, GENERIC])
        verifyBearer(oidc({ ...claims, iss }), trust, APPENDED_AT_MS);
      verifyBearer(oidc({ ...KUBERNETES, iss: a }, { kid: b }, AGENT_KEY), trust, APPENDED_AT_MS);
    }),
    { numRuns: 200, seed: 20261125 },
  );
});
