import { describe, expect, it } from '@jest/globals';
import {
  AGENT,
  APPENDED_AT_MS,
  ISSUER_JWK,
  ISSUER_KEY,
  KID,
  NOW_S,
  bundleOf,
  keyObject,
  token,
} from '../test/fixtures.js';
import { parseBundle } from './bundle.js';
import { TokenVerifier, isExpired, type IdentityToken } from './identity-token.js';
import { boundAudience, readSvid } from './svid.js';
import { TrustDomain } from './trust-domain.js';

const domain = (name: string) =>
  new TrustDomain(name, 'mayfly', false, parseBundle(bundleOf(ISSUER_JWK), 'bundle.json'));

function svidOf(claims: object = {}): IdentityToken {
  const reading = readSvid(
    token(
      { alg: 'ES256', kid: KID },
      { sub: AGENT, aud: 'mayfly', iat: NOW_S, exp: NOW_S + 300, ...claims },
      keyObject(ISSUER_KEY),
    ),
  );
  if (!reading.ok) throw new Error(reading.refusal.reason);
  return reading.svid;
}

describe('an SVID', () => {
  it('is authentic by a key of its own trust domain', () => {
    expect(new TokenVerifier().authenticate(svidOf(), domain('corp.example'), APPENDED_AT_MS)).toEqual({
      ok: true,
    });
  });

  it('is not authentic by the same key in another trust domain', () => {
    expect(new TokenVerifier().authenticate(svidOf(), domain('other.example'), APPENDED_AT_MS)).toMatchObject(
      {
        refusal: { code: 'ERR_SVID_UNTRUSTED' },
      },
    );
  });

  it('may be valid for 24 h exactly', () => {
    expect(svidOf({ exp: NOW_S + 86_400 }).expiresAtMs).toBe(APPENDED_AT_MS + 86_400_000);
  });

  it('expires 2 s after its end', () => {
    const svid = svidOf({ exp: NOW_S });
    expect([isExpired(svid, APPENDED_AT_MS + 2000), isExpired(svid, APPENDED_AT_MS + 2001)]).toEqual([
      false,
      true,
    ]);
  });
});

it('the bound audience is the plain one with the thumbprint of the key', () => {
  expect(boundAudience('mayfly', 'kPrK_qmx')).toBe('mayfly:jkt:kPrK_qmx');
});
