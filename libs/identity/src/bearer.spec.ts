import { describe, expect, it } from '@jest/globals';
import {
  AGENT,
  APPENDED_AT_MS,
  ISSUER_KEY,
  KID,
  NOW_S,
  OTHER_KEY,
  corpTrust,
  keyObject,
  token,
} from '../test/fixtures.js';
import { verifyBearer } from './bearer.js';

const bearer = (claims: object = {}, key = ISSUER_KEY) =>
  token(
    { alg: 'ES256', kid: KID, typ: 'JWT' },
    { sub: AGENT, aud: 'mayfly', iat: NOW_S, exp: NOW_S + 300, ...claims },
    keyObject(key),
  );

it('a JWT-SVID for this service alone says who calls', () => {
  const said = { ok: true, id: AGENT, expiresAtMs: (NOW_S + 300) * 1000 };
  expect(verifyBearer(bearer(), corpTrust(), APPENDED_AT_MS)).toMatchObject(said);
  expect(verifyBearer(bearer({ aud: ['mayfly'] }), corpTrust(), APPENDED_AT_MS)).toMatchObject(said);
});

it('a JWT-SVID for another audience is taken only where that one is asked for', () => {
  const issuer = 'https://mayfly.example';
  const client = bearer({ aud: issuer });
  expect(verifyBearer(client, corpTrust(), APPENDED_AT_MS, issuer)).toMatchObject({ ok: true, id: AGENT });
  expect(verifyBearer(client, corpTrust(), APPENDED_AT_MS)).toMatchObject({ ok: false });
  expect(verifyBearer(bearer(), corpTrust(), APPENDED_AT_MS, issuer)).toMatchObject({ ok: false });
});

describe('a bearer token is refused', () => {
  it.each([
    ['if it is bound to a proof key', bearer({ aud: 'mayfly:jkt:abc' }), 'ERR_SVID_INVALID'],
    ['if it is for somebody else too', bearer({ aud: ['mayfly', 'payments'] }), 'ERR_SVID_INVALID'],
    ['if it has expired', bearer({ iat: NOW_S - 300, exp: NOW_S - 3 }), 'ERR_SVID_EXPIRED'],
    ['if it is for later', bearer({ iat: NOW_S + 3 }), 'ERR_SVID_INVALID'],
    ['if it is of a stranger', bearer({ sub: 'spiffe://evil.example/a' }), 'ERR_SVID_UNTRUSTED'],
    ['if it is forged', bearer({}, OTHER_KEY), 'ERR_SVID_INVALID'],
    ['if it is no token', 'Bearer', 'ERR_SVID_INVALID'],
  ])('%s', (_what, presented, code) => {
    expect(verifyBearer(presented, corpTrust(), APPENDED_AT_MS)).toMatchObject({
      ok: false,
      refusal: { code },
    });
  });
});
