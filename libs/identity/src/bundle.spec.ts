import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  AGENT_ED25519_KEY,
  ISSUER_JWK,
  ISSUER_KEY,
  OTHER_KEY,
  bundleOf,
  publicOf,
} from '../test/fixtures.js';
import { parseBundle } from './bundle.js';

const parse = (value: unknown) => parseBundle(Buffer.from(JSON.stringify(value)), 'bundle.json');
const rsa = (modulusLength: number) => ({
  ...generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }),
  kid: 'rsa',
  use: 'jwt-svid',
});
const failure = expect.objectContaining({ code: 'ERR_IDENTITY_BUNDLE_INVALID' }) as unknown;

describe('a SPIFFE bundle', () => {
  it('gives the keys that say jwt-svid, with the algorithms they may sign with', () => {
    const { keys, sequence, refreshHintMs } = parseBundle(bundleOf(ISSUER_JWK, rsa(2048)), 'bundle.json');
    expect(keys.map(({ kid, algorithms }) => [kid, algorithms])).toEqual([
      ['issuer-2026', ['ES256']],
      ['rsa', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ]);
    expect([sequence, refreshHintMs]).toEqual([1n, 300_000]);
  });

  it('holds a key to the algorithm it names', () => {
    expect(parse({ keys: [{ ...rsa(2048), alg: 'PS256' }] }).keys[0]?.algorithms).toEqual(['PS256']);
    expect(parse({ keys: [{ ...ISSUER_JWK, alg: 'ES384' }] }).keys).toEqual([]);
  });

  it.each([
    ['of X.509 SVIDs', { ...ISSUER_JWK, use: 'x509-svid' }],
    ['for signatures in general', { ...ISSUER_JWK, use: 'sig' }],
    ['without a use', { ...publicOf(ISSUER_KEY), kid: 'a' }],
    ['of a kind no SVID is signed with', { ...publicOf(AGENT_ED25519_KEY), kid: 'a', use: 'jwt-svid' }],
  ])('skips keys %s', (_what, key) => {
    expect(parse({ keys: [key] }).keys).toEqual([]);
  });

  it('may be empty: everything is revoked', () => {
    expect(parse({ keys: [] }).keys).toEqual([]);
  });

  it.each([
    ['a key without a key id', { keys: [{ ...ISSUER_JWK, kid: undefined }] }],
    [
      'one key id twice',
      { keys: [ISSUER_JWK, { ...publicOf(OTHER_KEY), kid: ISSUER_JWK.kid, use: 'jwt-svid' }] },
    ],
    ['a private key', { keys: [{ ...ISSUER_KEY, kid: 'a', use: 'jwt-svid' }] }],
    ['a point off its curve', { keys: [{ ...ISSUER_JWK, y: ISSUER_JWK.x }] }],
    ['a short RSA key', { keys: [rsa(1024)] }],
    ['a key that is no object', { keys: ['a'] }],
    ['no keys', {}],
    ['an array', []],
    ['a sequence that is no number', { keys: [], spiffe_sequence: '7' }],
    ['a negative sequence', { keys: [], spiffe_sequence: -1 }],
    ['a refresh hint of nothing', { keys: [], spiffe_refresh_hint: 0 }],
    [
      'more keys than anybody has',
      { keys: Array.from({ length: 65 }, (_, n) => ({ ...ISSUER_JWK, kid: String(n) })) },
    ],
  ])('is invalid with %s', (_what, value) => {
    expect(() => parse(value)).toThrow(failure);
  });

  it('that is no JSON, or larger than a bundle can be, is invalid', () => {
    expect(() => parseBundle(Buffer.from('{'), 'bundle.json')).toThrow(failure);
    expect(() => parseBundle(Buffer.alloc(1_048_577, 0x20), 'bundle.json')).toThrow(failure);
  });
});
