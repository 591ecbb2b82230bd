import { createHmac, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import { AGENT_ED25519_KEY, ISSUER_KEY, keyObject, publicOf } from '../../identity/test/fixtures.js';
import {
  CLAIMS,
  decoded,
  forged,
  ISSUER,
  KID,
  keyOf,
  NOW_MS,
  NOW_S,
  ORDERS,
  parts,
  PUBLISHED,
  SIGNER,
  STRANGER,
  TASK,
  TRUST,
} from '../test/samples.js';
import {
  readAccessToken,
  signAccessToken,
  verifyAccessToken,
  type AccessTokenClaims,
} from './access-token.js';

const encode = (text: string) => Buffer.from(text).toString('base64url');
const refusalOf = (token: string, trust = TRUST) => {
  const result = verifyAccessToken(token, trust);
  return result.ok ? undefined : result.refusal.code;
};
/** A signed token with other claims; undefined takes one away. */
const withClaims = (claims: object) => forged('at+jwt', { ...CLAIMS, ...claims });

describe('an access token', () => {
  const token = signAccessToken(CLAIMS, SIGNER);

  it('says what was granted, to whoever trusts its issuer', () => {
    expect(verifyAccessToken(token, TRUST)).toEqual({ ok: true, claims: CLAIMS });
    expect(readAccessToken(token)).toEqual({ ok: true, kid: KID, claims: CLAIMS });
  });

  it('verifies with jose as an RFC 9068 token', async () => {
    const key = await importJWK(publicOf(ISSUER_KEY), 'ES256');
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      algorithms: ['ES256'],
      typ: 'at+jwt',
      issuer: ISSUER,
      audience: ORDERS,
      currentDate: new Date(NOW_MS),
      requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: KID });
    expect(payload).toEqual(CLAIMS);
  });

  it('signed by jose is read here, its typ written in full or not', async () => {
    for (const typ of ['at+jwt', 'application/at+jwt']) {
      const foreign = await new SignJWT({ ...CLAIMS })
        .setProtectedHeader({ alg: 'ES256', typ, kid: KID })
        .sign(SIGNER.key);
      expect(verifyAccessToken(foreign, TRUST)).toEqual({ ok: true, claims: CLAIMS });
    }
  });

  it('carries nothing that is not a claim of ours', () => {
    const token = signAccessToken({ ...CLAIMS, secret: 'x' } as AccessTokenClaims, SIGNER);
    expect(decoded(parts(token)[1])).toEqual(CLAIMS);
  });

  it('may do without dataset, arguments and status', () => {
    const { arguments_sha256: _a, status: _s, ...few } = CLAIMS;
    const [{ dataset: _d, ...detail }] = CLAIMS.authorization_details as [
      AccessTokenClaims['authorization_details'][0],
    ];
    const claims = { ...few, authorization_details: [detail] };
    expect(verifyAccessToken(signAccessToken(claims, SIGNER), TRUST)).toEqual({ ok: true, claims });
  });

  it('that no verifier would take is not signed', () => {
    expect(() => signAccessToken({ ...CLAIMS, authorization_details: [] }, SIGNER)).toThrow(
      new TypeError('not an access token: authorization details are no list, or empty'),
    );
    const long = Array.from({ length: 31 }, (_, n) => ({
      taskId: `t${n}-${'x'.repeat(400)}`,
      generation: 1,
    }));
    expect(() =>
      signAccessToken({ ...CLAIMS, lineage: [{ taskId: TASK, generation: 1 }, ...long] }, SIGNER),
    ).toThrow(new TypeError('not an access token: it is too long'));
  });

  it('is not signed with a key of another kind', () => {
    expect(() => signAccessToken(CLAIMS, { kid: KID, key: keyObject(AGENT_ED25519_KEY) })).toThrow(TypeError);
  });
});

describe('its time', () => {
  const token = signAccessToken(CLAIMS, SIGNER);
  const at = (nowMs: number, leewayMs?: number) =>
    refusalOf(token, { ...TRUST, nowMs, ...(leewayMs !== undefined && { leewayMs }) });

  it('ends with its second, whatever the leeway', () => {
    expect(at(CLAIMS.exp * 1000 - 1)).toBeUndefined();
    expect(at(CLAIMS.exp * 1000)).toBe('ERR_TOKEN_EXPIRED');
    expect(at(CLAIMS.exp * 1000, 60_000)).toBe('ERR_TOKEN_EXPIRED');
  });

  it('begins with its issue, for a clock that is at most 2 s behind', () => {
    expect(at(NOW_MS - 2000)).toBeUndefined();
    expect(at(NOW_MS - 2001)).toBe('ERR_TOKEN_EARLY');
    expect(at(NOW_MS - 1, 0)).toBe('ERR_TOKEN_EARLY');
  });

  it('begins later where it says so', () => {
    expect(refusalOf(withClaims({ nbf: NOW_S + 3 }))).toBe('ERR_TOKEN_EARLY');
    expect(refusalOf(withClaims({ nbf: NOW_S }))).toBeUndefined();
  });
});

describe('a header that RFC 8725 warns of is refused:', () => {
  const [, payload, signature] = parts(signAccessToken(CLAIMS, SIGNER));
  const unsigned = (header: object) => `${encode(JSON.stringify(header))}.${payload}.${signature}`;
  const hmac = (secret: string | Buffer) => {
    const input = `${encode(JSON.stringify({ alg: 'HS256', typ: 'at+jwt', kid: KID }))}.${payload}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  const spki = PUBLISHED.export({ type: 'spki', format: 'pem' });

  it.each([
    ['alg none', 'ERR_TOKEN_ALGORITHM', unsigned({ alg: 'none', typ: 'at+jwt', kid: KID })],
    ['alg none without a signature', 'ERR_TOKEN_MALFORMED', `${encode('{"alg":"none"}')}.${payload}.`],
    ['alg nOnE', 'ERR_TOKEN_ALGORITHM', unsigned({ alg: 'nOnE', typ: 'at+jwt', kid: KID })],
    ['HMAC keyed with our public key', 'ERR_TOKEN_ALGORITHM', hmac(spki)],
    [
      'an allowed curve that is not ours',
      'ERR_TOKEN_ALGORITHM',
      unsigned({ alg: 'ES384', typ: 'at+jwt', kid: KID }),
    ],
    ['an algorithm that is a list', 'ERR_TOKEN_ALGORITHM', forged('at+jwt', CLAIMS, { alg: ['ES256'] })],
    ['the typ of a proof', 'ERR_TOKEN_TYP', forged('dpop+jwt', CLAIMS)],
    ['the typ of a status list', 'ERR_TOKEN_TYP', forged('statuslist+jwt', CLAIMS)],
    ['the typ of an event', 'ERR_TOKEN_TYP', forged('secevent+jwt', CLAIMS)],
    ['the typ of any JWT', 'ERR_TOKEN_TYP', forged('JWT', CLAIMS)],
    ['no typ', 'ERR_TOKEN_TYP', forged('at+jwt', CLAIMS, { typ: undefined })],
    ['a key of its own', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { jwk: publicOf(ISSUER_KEY) })],
    [
      'a place of keys',
      'ERR_TOKEN_MALFORMED',
      forged('at+jwt', CLAIMS, { jku: 'https://evil.example/jwks' }),
    ],
    ['a certificate', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { x5c: ['MIIB'] })],
    [
      'a place of certificates',
      'ERR_TOKEN_MALFORMED',
      forged('at+jwt', CLAIMS, { x5u: 'https://evil.example' }),
    ],
    ['a critical extension', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { crit: ['b64'], b64: false })],
    ['compression', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { zip: 'DEF' })],
    ['no kid', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { kid: undefined })],
    ['a kid that is a number', 'ERR_TOKEN_MALFORMED', forged('at+jwt', CLAIMS, { kid: 7 })],
    ['a kid that is a path', 'ERR_TOKEN_KEY_UNKNOWN', forged('at+jwt', CLAIMS, { kid: '../../dev/null' })],
    ['another kid', 'ERR_TOKEN_KEY_UNKNOWN', forged('at+jwt', CLAIMS, { kid: '__proto__' })],
  ])('%s', (_what, code, token) => {
    expect(refusalOf(token)).toBe(code);
  });

  it('a member twice, in whatever spelling', () => {
    for (const second of ['"alg":"ES256"', '"\\u0061lg":"ES256"', '"typ":"at+jwt"', '"kid":"x"']) {
      const header = `{${second},"alg":"ES256","typ":"at+jwt","kid":"${KID}"}`;
      expect(refusalOf(`${encode(header)}.${payload}.${signature}`)).toBe('ERR_TOKEN_MALFORMED');
    }
  });
});

describe('a signature', () => {
  it('by somebody else is refused', () => {
    expect(refusalOf(forged('at+jwt', CLAIMS, {}, STRANGER))).toBe('ERR_TOKEN_SIGNATURE');
  });

  it('has a second form, so a token is remembered by its id and not by its text', () => {
    const token = signAccessToken(CLAIMS, SIGNER);
    const [header, payload, signature] = parts(token);
    const bytes = Buffer.from(signature, 'base64url');
    // (r, s) and (r, n - s) verify alike; n is the order of P-256 (FIPS 186-4, D.1.2.3).
    const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
    bytes.write((order - s).toString(16).padStart(64, '0'), 32, 'hex');
    const twin = `${header}.${payload}.${bytes.toString('base64url')}`;
    expect(twin).not.toBe(token);
    expect(verifyAccessToken(twin, TRUST)).toEqual({ ok: true, claims: CLAIMS });
  });

  it('is refused under a key of another kind, though it has the name', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    expect(refusalOf(signAccessToken(CLAIMS, SIGNER), { ...TRUST, keyOf: () => publicKey })).toBe(
      'ERR_TOKEN_SIGNATURE',
    );
  });

  it('is not looked at where claims or sizes say no', () => {
    const keyOf = (): never => {
      throw new Error('looked at');
    };
    for (const token of [withClaims({ exp: 'soon' }), withClaims({ aud: 'x' }), 'a'.repeat(9000)])
      expect(verifyAccessToken(token, { ...TRUST, keyOf }).ok).toBe(false);
  });
});

describe('claims that are refused:', () => {
  const detail = CLAIMS.authorization_details[0];
  it.each([
    ['no issuer', 'ERR_TOKEN_ISSUER', { iss: undefined }],
    ['another issuer', 'ERR_TOKEN_ISSUER', { iss: `${ISSUER}/` }],
    ['another audience', 'ERR_TOKEN_AUDIENCE', { aud: 'https://mail.corp.example' }],
    ['two audiences', 'ERR_TOKEN_AUDIENCE', { aud: [ORDERS, 'https://mail.corp.example'] }],
    ['a list of one audience', 'ERR_TOKEN_AUDIENCE', { aud: [ORDERS] }],
    ['no audience', 'ERR_TOKEN_AUDIENCE', { aud: undefined }],
    ['no subject', 'ERR_TOKEN_MALFORMED', { sub: undefined }],
    ['no id', 'ERR_TOKEN_MALFORMED', { jti: '' }],
    ['no end', 'ERR_TOKEN_MALFORMED', { exp: undefined }],
    ['an end that is text', 'ERR_TOKEN_MALFORMED', { exp: `${CLAIMS.exp}` }],
    ['an end that is never', 'ERR_TOKEN_MALFORMED', { exp: 1e300 }],
    ['an end before the issue', 'ERR_TOKEN_MALFORMED', { exp: NOW_S - 1 }],
    ['no issue', 'ERR_TOKEN_MALFORMED', { iat: undefined }],
    ['a beginning that is text', 'ERR_TOKEN_MALFORMED', { nbf: '0' }],
    ['no key', 'ERR_TOKEN_MALFORMED', { cnf: undefined }],
    ['a key that is no thumbprint', 'ERR_TOKEN_MALFORMED', { cnf: { jkt: 'x' } }],
    ['a key and a certificate', 'ERR_TOKEN_MALFORMED', { cnf: { ...CLAIMS.cnf, 'x5t#S256': 'x' } }],
    ['no details', 'ERR_TOKEN_DETAILS', { authorization_details: undefined }],
    [
      'details of another task',
      'ERR_TOKEN_DETAILS',
      { authorization_details: [{ ...detail, task: 'other' }] },
    ],
    ['nobody who acts', 'ERR_TOKEN_ACTOR', { act: undefined }],
    [
      'a client that is not who acts',
      'ERR_TOKEN_ACTOR',
      { act: { sub: 'spiffe://corp.example/agent/other' } },
    ],
    ['no lineage', 'ERR_TOKEN_MALFORMED', { lineage: [] }],
    ['a lineage without generation', 'ERR_TOKEN_MALFORMED', { lineage: [{ taskId: TASK }] }],
    ['generation 0', 'ERR_TOKEN_MALFORMED', { lineage: [{ taskId: TASK, generation: 0 }] }],
    [
      'a task twice in the lineage',
      'ERR_TOKEN_MALFORMED',
      {
        lineage: [
          { taskId: TASK, generation: 1 },
          { taskId: TASK, generation: 2 },
        ],
      },
    ],
    ['a digest that is none', 'ERR_TOKEN_MALFORMED', { arguments_sha256: 'ABC' }],
    ['a generation of its agent that is none', 'ERR_TOKEN_MALFORMED', { agent_generation: 0 }],
    ['a negative index', 'ERR_TOKEN_MALFORMED', { status: { status_list: { idx: -1, uri: 'https://x' } } }],
    ['another kind of status', 'ERR_TOKEN_MALFORMED', { status: { ...CLAIMS.status, status_assertion: {} } }],
  ])('%s', (_what, code, claims) => {
    expect(refusalOf(withClaims(claims))).toBe(code);
  });

  it('a member twice, at any depth', () => {
    const text = JSON.stringify(CLAIMS);
    for (const [member, twice] of [
      ['"aud":', `"aud":"https://evil.example","aud":`],
      ['"jkt":', '"jkt":"x","jkt":'],
      ['"actions":', '"actions":["write"],"actions":'],
    ] as const)
      expect(refusalOf(forged('at+jwt', text.replace(member, twice)))).toBe('ERR_TOKEN_MALFORMED');
  });

  it.each([
    ['a list', '[]'],
    ['no JSON', '{'],
    ['a byte order mark', `\uFEFF${JSON.stringify(CLAIMS)}`],
    ['depth', `{"a":${'['.repeat(2900)}${']'.repeat(2900)}}`],
  ])('%s', (_what, payload) => {
    expect(readAccessToken(forged('at+jwt', payload)).ok).toBe(false);
  });
});

it('more than 8,192 characters are not read', () => {
  const token = forged('at+jwt', { ...CLAIMS, more: 'x'.repeat(8000) });
  expect(refusalOf(token)).toBe('ERR_TOKEN_TOO_LARGE');
  expect(refusalOf(forged('at+jwt', { ...CLAIMS, more: 'x'.repeat(3000) }))).toBeUndefined();
});

it('a refusal repeats nothing of the token', () => {
  const result = verifyAccessToken(withClaims({ sub: undefined, jti: 'leaked' }), { ...TRUST, keyOf });
  expect(result).toEqual({
    ok: false,
    refusal: { code: 'ERR_TOKEN_MALFORMED', reason: 'the token lacks its subject, its client or its id' },
  });
});
