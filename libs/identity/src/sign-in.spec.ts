import { AGENT_KEY, ISSUER_KEY, NOW_S } from '../test/fixtures.js';
import { GENERIC, KUBERNETES, MARIA, oidc, oidcTrust } from '../test/oidc-fixtures.js';
import { signInAudience, verifySignIn } from './sign-in.js';

const NOW_MS = NOW_S * 1_000;
const SIGNED_IN = { ...MARIA, aud: signInAudience('mayfly') };
const trust = oidcTrust();
const verified = (claims: object, key = ISSUER_KEY) =>
  verifySignIn(oidc({ ...SIGNED_IN, ...claims }, {}, key), trust, NOW_MS);
const codeOf = (...args: Parameters<typeof verified>) => {
  const result = verified(...args);
  return result.ok ? result.id : result.refusal.code;
};

it('says who has signed in', () => expect(codeOf({})).toBe('user:maria@corp.example'));

it.each([
  ['the audience of tokens that travel on a topic', { aud: 'mayfly' }, 'ERR_SVID_INVALID'],
  ['a second audience', { aud: [SIGNED_IN.aud, 'other'] }, 'ERR_SVID_INVALID'],
  ['more than 5 minutes to live', { exp: MARIA.iat + 301 }, 'ERR_SVID_INVALID'],
  ['its time behind it', { iat: NOW_S - 300, exp: NOW_S - 10 }, 'ERR_SVID_EXPIRED'],
  ['its time before it', { iat: NOW_S + 60, exp: NOW_S + 120 }, 'ERR_SVID_INVALID'],
  ['an address that its issuer has not verified', { email_verified: false }, 'ERR_SUBJECT_UNMAPPED'],
  ['an address of another domain', { email: 'maria@evil.example' }, 'ERR_SUBJECT_UNMAPPED'],
  ['an issuer that nobody trusts', { iss: 'https://evil.example' }, 'ERR_SVID_UNTRUSTED'],
  ['an issuer that names no persons', { iss: KUBERNETES.iss }, 'ERR_SVID_UNTRUSTED'],
])('refuses a token with %s', (_what, claims, code) => expect(codeOf(claims)).toBe(code));

it('refuses a signature of another key, a workload, and what is no token', () => {
  expect(codeOf({}, AGENT_KEY)).toBe('ERR_SVID_INVALID');
  expect(verifySignIn(oidc({ ...GENERIC, aud: SIGNED_IN.aud }), trust, NOW_MS).ok).toBe(false);
  expect(verifySignIn('a.b.c', trust, NOW_MS).ok).toBe(false);
});
