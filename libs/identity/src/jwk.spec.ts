import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { AGENT_ED25519_KEY, AGENT_KEY, publicOf } from '../test/fixtures.js';
import { importPublicJwk, readProofJwk, thumbprint, type PublicJwk } from './jwk.js';

describe('the thumbprint', () => {
  it('of the key in RFC 8037 appendix A.3 is the one printed there', () => {
    expect(thumbprint(publicOf(AGENT_ED25519_KEY) as PublicJwk)).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it('is the same as that of jose, whatever else the key carries', async () => {
    const jwk = { use: 'sig', ...publicOf(AGENT_KEY), kid: 'x' } as unknown as PublicJwk;
    expect(thumbprint(jwk)).toBe(await calculateJwkThumbprint(publicOf(AGENT_KEY)));
  });
});

describe('a proof key', () => {
  it('keeps only the members that make it a key', () => {
    expect(readProofJwk({ ...publicOf(AGENT_KEY), kid: 'x', use: 'sig' })).toEqual(publicOf(AGENT_KEY));
  });

  it.each([
    ['a private member', AGENT_KEY],
    ['a private member without a value', { ...publicOf(AGENT_KEY), d: undefined }],
    ['another curve', { ...publicOf(AGENT_KEY), crv: 'P-384' }],
    ['another curve of the same family', { ...publicOf(AGENT_ED25519_KEY), crv: 'X25519' }],
    ['a missing coordinate', { kty: 'EC', crv: 'P-256', x: AGENT_KEY.x }],
    ['a short coordinate', { ...publicOf(AGENT_KEY), x: 'AAAA' }],
    [
      'a coordinate in another text for the same bytes',
      { ...publicOf(AGENT_KEY), x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEV' },
    ],
    ['no object', 'key'],
    ['null', null],
  ])('with %s is none', (_what, value) => {
    expect(readProofJwk(value)).toBeUndefined();
  });

  it('off its curve is not imported', () => {
    expect(importPublicJwk({ ...publicOf(AGENT_KEY), y: AGENT_KEY.x })).toBeUndefined();
  });
});
