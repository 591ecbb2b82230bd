import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SignJWT, calculateJwkThumbprint, importJWK } from 'jose';
import {
  AGENT_ED25519_KEY,
  AGENT_KEY,
  APPENDED_AT_MS as NOW_MS,
  NOW_S,
  OTHER_KEY,
  keyObject,
  publicOf,
  token,
} from '../test/fixtures.js';
import { MAX_DPOP_CHARS, verifyDpop, type DpopCode, type DpopRequest } from './dpop.js';

const URL = 'https://broker.example/oauth/token';
const POST: DpopRequest = { method: 'POST', url: URL };
const JTI = 'e1j3V_bKic8-LAEB';
const CLAIMS = { jti: JTI, htm: 'POST', htu: URL, iat: NOW_S };
const ACCESS_TOKEN = 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA';
const ATH = createHash('sha256').update(ACCESS_TOKEN).digest('base64url');

/** By jose, as a client would make it. */
const made = async (
  claims: object = {},
  header: object = {},
  key: typeof AGENT_KEY | typeof AGENT_ED25519_KEY = AGENT_KEY,
) => {
  const alg = key.kty === 'OKP' ? 'Ed25519' : 'ES256';
  return new SignJWT({ ...CLAIMS, ...claims })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk: publicOf(key), ...header })
    .sign(await importJWK(key, alg));
};
/** By hand, for what jose does not make. */
const forged = (header: object, claims: object | string = CLAIMS, key = AGENT_KEY) =>
  token({ alg: 'ES256', typ: 'dpop+jwt', jwk: publicOf(AGENT_KEY), ...header }, claims, keyObject(key));
const codeOf = (proof: string, request: Partial<DpopRequest> = {}) => {
  const verdict = verifyDpop(proof, { ...POST, ...request }, NOW_MS);
  return verdict.ok ? 'accepted' : verdict.refusal.code;
};

describe('a proof made by jose', () => {
  it.each([
    ['ES256', AGENT_KEY],
    ['Ed25519', AGENT_ED25519_KEY],
  ])('with %s is accepted, and says which key made it', async (_alg, key) => {
    const verdict = verifyDpop(await made({}, {}, key), POST, NOW_MS);
    expect(verdict).toMatchObject({ ok: true, jti: JTI, iatMs: NOW_MS });
    expect(verdict.ok && verdict.jkt).toBe(await calculateJwkThumbprint(publicOf(key)));
    expect(verdict.ok && verdict.key.type).toBe('public');
  });

  it('with the older name of Ed25519 is accepted', async () => {
    const key = await importJWK(AGENT_ED25519_KEY, 'EdDSA');
    const proof = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'dpop+jwt', jwk: publicOf(AGENT_ED25519_KEY) })
      .sign(key);
    expect(codeOf(proof)).toBe('accepted');
  });

  it('is checked with the key that is known by its thumbprint, and by no other', async () => {
    const known = new Map([[await calculateJwkThumbprint(publicOf(AGENT_KEY)), keyObject(AGENT_KEY)]]);
    const knownKey = (jkt: string) => known.get(jkt);
    expect(codeOf(await made(), { knownKey })).toBe('accepted');
    expect(codeOf(await made({}, {}, AGENT_ED25519_KEY), { knownKey })).toBe('accepted');
    known.set(await calculateJwkThumbprint(publicOf(AGENT_KEY)), keyObject(OTHER_KEY));
    expect(codeOf(await made(), { knownKey })).toBe('ERR_DPOP_SIGNATURE');
  });

  it('for an access token is accepted with that token', async () => {
    expect(codeOf(await made({ ath: ATH }), { accessToken: ACCESS_TOKEN })).toBe('accepted');
  });

  it('with the nonce that is asked for is accepted', async () => {
    const nonces = { accepts: (nonce: string) => nonce === 'n-1' };
    expect(codeOf(await made({ nonce: 'n-1' }), { nonces })).toBe('accepted');
  });

  it.each([
    ['a minute old', { iat: NOW_S - 60 }],
    ['a minute ahead', { iat: NOW_S + 60 }],
    ['with claims and headers nobody knows', { later: { deep: 1 } }],
    ['with a nonce nobody asked for', { nonce: 'n-9' }],
  ])('%s is accepted', async (_what, claims) => {
    expect(codeOf(await made(claims, { kid: 'k1' }))).toBe('accepted');
  });
});

describe('the URL of a proof', () => {
  it.each([
    ['in other case', 'HTTPS://Broker.Example/oauth/token', URL],
    ['with the port that needs no saying', 'https://broker.example:443/oauth/token', URL],
    ['without a path', 'https://broker.example', 'https://broker.example/'],
    ['with dots', 'https://broker.example/a/../oauth/./token', URL],
    ['with escapes that need not be', 'https://broker.example/%6Fauth/%74oken', URL],
    ['with escapes in small letters', 'https://broker.example/a%2fb', 'https://broker.example/a%2Fb'],
    ['whose request has a query', URL, `${URL}?a=1#b`],
  ])('%s is the same', async (_what, htu, url) => {
    expect(codeOf(await made({ htu }), { url })).toBe('accepted');
  });

  it.each([
    ['another path', 'https://broker.example/oauth/revoke'],
    ['a path in other case', 'https://broker.example/OAuth/token'],
    ['a slash more', `${URL}/`],
    ['an escaped slash', 'https://broker.example/oauth%2Ftoken'],
    ['another host', 'https://broker.example.evil.example/oauth/token'],
    ['another port', 'https://broker.example:8443/oauth/token'],
    ['no TLS', 'http://broker.example/oauth/token'],
    ['a user', 'https://me@broker.example/oauth/token'],
    ['a path alone', '/oauth/token'],
    ['no slashes', 'https:broker.example/oauth/token'],
    ['backslashes', 'https:\\\\broker.example\\oauth\\token'],
    ['a tab that the parser drops', 'https://broker.example/oau\tth/token'],
    ['a space at its end', `${URL} `],
    ['nothing', ''],
  ])('with %s is another', async (_what, htu) => {
    expect(codeOf(await made({ htu }))).toBe('ERR_DPOP_URL');
  });

  it('is of no request whose own URL cannot be read', async () => {
    expect(codeOf(await made({ htu: 'broker' }), { url: 'broker' })).toBe('ERR_DPOP_URL');
  });
});

const { y: _y, ...HALF } = publicOf(AGENT_KEY);
const hs256 = [{ alg: 'HS256', typ: 'dpop+jwt', jwk: { kty: 'oct', k: 'AAAA' } }, CLAIMS]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

const hostile: [
  what: string,
  proof: () => string | Promise<string>,
  code: DpopCode,
  request?: Partial<DpopRequest>,
][] = [
  ['that is longer than the limit', () => 'a'.repeat(MAX_DPOP_CHARS + 1), 'ERR_DPOP_TOO_LARGE'],
  ['that is no token', () => 'a.b', 'ERR_DPOP_MALFORMED'],
  ['that is two', async () => `${await made()}, ${await made()}`, 'ERR_DPOP_MALFORMED'],
  ['with a critical extension', () => forged({ crit: ['exp'] }), 'ERR_DPOP_MALFORMED'],
  ['without claims', () => forged({}, '[]'), 'ERR_DPOP_MALFORMED'],
  ['of another typ', () => made({}, { typ: 'JWT' }), 'ERR_DPOP_TYP'],
  ['that is a message proof', () => made({}, { typ: 'mayfly-proof+jwt' }), 'ERR_DPOP_TYP'],
  ['that is an access token', () => made({}, { typ: 'at+jwt' }), 'ERR_DPOP_TYP'],
  ['without a typ', () => forged({ typ: undefined }), 'ERR_DPOP_TYP'],
  ['with alg none', () => forged({ alg: 'none' }), 'ERR_DPOP_ALGORITHM'],
  ['with alg HS256', () => `${hs256}.AAAA`, 'ERR_DPOP_ALGORITHM'],
  ['with an algorithm not on the list', () => forged({ alg: 'ES384' }), 'ERR_DPOP_ALGORITHM'],
  ['whose algorithm is not its key\u2019s', () => forged({ alg: 'Ed25519' }), 'ERR_DPOP_ALGORITHM'],
  ['without a key', () => forged({ jwk: undefined }), 'ERR_DPOP_KEY'],
  ['with a list of keys', () => forged({ jwk: [publicOf(AGENT_KEY)] }), 'ERR_DPOP_KEY'],
  ['with half a key', () => forged({ jwk: HALF }), 'ERR_DPOP_KEY'],
  [
    'with a point off its curve',
    () => forged({ jwk: { ...publicOf(AGENT_KEY), y: AGENT_KEY.x } }),
    'ERR_DPOP_KEY',
  ],
  ['with an RSA key', () => forged({ jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }), 'ERR_DPOP_KEY'],
  ['that says where a key is', () => forged({ jku: 'https://evil.example/' }), 'ERR_DPOP_KEY'],
  ['with a certificate as well', () => forged({ x5c: ['MIIB'] }), 'ERR_DPOP_KEY'],
  ['that gives its private key away', () => forged({ jwk: AGENT_KEY }), 'ERR_DPOP_KEY_PRIVATE'],
  ['with a shared key', () => forged({ jwk: { kty: 'oct', k: 'AAAA' } }), 'ERR_DPOP_KEY_PRIVATE'],
  ['without an id', () => made({ jti: undefined }), 'ERR_DPOP_JTI'],
  ['with an empty id', () => made({ jti: '' }), 'ERR_DPOP_JTI'],
  ['with an id that is a number', () => forged({}, { ...CLAIMS, jti: 7 }), 'ERR_DPOP_JTI'],
  ['with an id longer than the limit', () => made({ jti: 'a'.repeat(129) }), 'ERR_DPOP_JTI'],
  ['with an id that no database holds', () => made({ jti: 'a\0b' }), 'ERR_DPOP_JTI'],
  ['without a method', () => made({ htm: undefined }), 'ERR_DPOP_MALFORMED'],
  ['without a URL', () => made({ htu: undefined }), 'ERR_DPOP_MALFORMED'],
  ['without a time', () => made({ iat: undefined }), 'ERR_DPOP_MALFORMED'],
  ['whose time is text', () => forged({}, { ...CLAIMS, iat: String(NOW_S) }), 'ERR_DPOP_MALFORMED'],
  ['whose end is text', () => forged({}, { ...CLAIMS, exp: 'never' }), 'ERR_DPOP_MALFORMED'],
  ['for another method', () => made({ htm: 'GET' }), 'ERR_DPOP_METHOD'],
  ['for a method in small letters', () => made({ htm: 'post' }), 'ERR_DPOP_METHOD'],
  ['from too long ago', () => made({ iat: NOW_S - 61 }), 'ERR_DPOP_STALE'],
  ['that has expired', () => made({ exp: NOW_S - 1 }), 'ERR_DPOP_STALE'],
  ['from the future', () => made({ iat: NOW_S + 61 }), 'ERR_DPOP_EARLY'],
  ['for later', () => made({ nbf: NOW_S + 61 }), 'ERR_DPOP_EARLY'],
  ['without a nonce', () => made(), 'ERR_DPOP_NONCE', { nonces: { accepts: () => true } }],
  ['with an old nonce', () => made({ nonce: 'n-0' }), 'ERR_DPOP_NONCE', { nonces: { accepts: () => false } }],
  ['for no access token', () => made(), 'ERR_DPOP_TOKEN', { accessToken: ACCESS_TOKEN }],
  ['for another access token', () => made({ ath: ATH }), 'ERR_DPOP_TOKEN', { accessToken: 'other' }],
  ['signed by another key', () => forged({}, CLAIMS, OTHER_KEY), 'ERR_DPOP_SIGNATURE'],
];

it.each(hostile)('a proof %s is refused', async (_what, proof, code, request = {}) => {
  expect(codeOf(await proof(), request)).toBe(code);
});

it('a refusal shows nothing of the proof', async () => {
  const proof = await made({ jti: 'tell-nobody', htm: 'GET' });
  expect(JSON.stringify(verifyDpop(proof, POST, NOW_MS))).not.toMatch(/tell-nobody|eyJ/);
});

describe('a valid proof', () => {
  let proof = '';
  beforeAll(async () => {
    proof = await made({ ath: ATH, nonce: 'n-1' });
  });
  const request = {
    ...POST,
    accessToken: ACCESS_TOKEN,
    nonces: { accepts: (nonce: string) => nonce === 'n-1' },
  };

  it('is never accepted once any of it is changed', () => {
    expect(verifyDpop(proof, request, NOW_MS).ok).toBe(true);
    // Those of the alphabet get further than to the decoder.
    const letter = fc.constantFrom(...'ABCDwxyz0189-_.e');
    const letters = fc.oneof(
      fc.string({ unit: letter, minLength: 1, maxLength: 4 }),
      fc.string({ minLength: 1 }),
    );
    const mutations = fc.oneof(
      fc
        .tuple(fc.nat(proof.length - 1), letters)
        .map(([at, text]) => proof.slice(0, at) + text + proof.slice(at + text.length)),
      fc
        .tuple(fc.nat(proof.length - 1), fc.nat(40))
        .map(([at, n]) => proof.slice(0, at) + proof.slice(at + n + 1)),
      fc
        .tuple(fc.nat(proof.length), fc.string({ minLength: 1 }))
        .map(([at, text]) => proof.slice(0, at) + text + proof.slice(at)),
    );
    fc.assert(
      fc.property(
        mutations.filter((mutant) => mutant !== proof),
        (mutant) => !verifyDpop(mutant, request, NOW_MS).ok,
      ),
      { numRuns: 10_000, seed: 20261125 },
    );
  });
});

it('no header and no claims at all make the check throw', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.jsonValue(), (jwk, claim, claims) => {
      codeOf(forged({ jwk }));
      codeOf(forged({}, { ...CLAIMS, jti: claim, exp: claim, nonce: claim, ath: claim }));
      codeOf(forged({}, JSON.stringify(claims)));
    }),
    { numRuns: 200, seed: 20261125 },
  );
});
