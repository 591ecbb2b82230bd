/** One way at least to each refusal. */
import { createHash } from 'node:crypto';
import { AGENT_KEY, OTHER_KEY, publicOf } from '../../identity/test/fixtures.js';
import { ReplayCache } from './replay-cache.js';
import { VERIFIER_CODES, type VerifierCode } from './refusal.js';
import type { RequestToCheck, VerifierOptions } from './verifier.js';
import {
  AUDIENCE,
  FakeKeys,
  NOW_S,
  accessToken,
  detail,
  dpop,
  request,
  verifierWith,
} from './verifier-world.contract.js';

const sha256Hex = (text: string) => createHash('sha256').update(text).digest('hex');

interface Refused {
  options?: Partial<VerifierOptions> & { lives?: 'dead' | 'unknown' };
  of: () => Promise<RequestToCheck>;
}
const ofToken = (over: Record<string, unknown>, header = {}) => ({
  of: async () => request({ token: await accessToken(over, header) }),
});
const ofProof = (over: Record<string, unknown>, header = {}): Refused => ({
  of: async () => {
    const token = await accessToken();
    return request({ token, dpop: await dpop(token, over, header) });
  },
});

const full = new ReplayCache(0);

/** One way at least to each refusal; 401 unless said otherwise. */
const REFUSALS: [VerifierCode, string, Refused, number?][] = [
  ['ERR_TOKEN_MISSING', 'no token', { of: () => request({ authorization: undefined }) }],
  [
    'ERR_TOKEN_SCHEME',
    'a bearer token',
    { of: async () => request({ authorization: `Bearer ${await accessToken()}` }) },
  ],
  [
    'ERR_TOKEN_TOO_LARGE',
    'a token of 9,000 characters',
    { of: () => request({ authorization: `DPoP ${'a'.repeat(9_000)}` }) },
  ],
  ['ERR_TOKEN_MALFORMED', 'a token of one part', { of: () => request({ authorization: 'DPoP token' }) }],
  ['ERR_TOKEN_TYP', 'a token of another kind', ofToken({}, { typ: 'JWT' })],
  [
    'ERR_TOKEN_ALGORITHM',
    'a token without a signature',
    { of: async () => request({ authorization: `DPoP ${unsigned(await accessToken())}` }) },
  ],
  ['ERR_TOKEN_KEY_UNKNOWN', 'a token by a key nobody knows', ofToken({}, { kid: 'another' })],
  ['ERR_TOKEN_SIGNATURE', 'a token by another key of that name', ofToken({}, { key: OTHER_KEY })],
  ['ERR_TOKEN_ISSUER', 'a token of another issuer', ofToken({ iss: 'https://other.example' })],
  ['ERR_TOKEN_AUDIENCE', 'a token for another service', ofToken({ aud: 'https://mail.example' })],
  ['ERR_TOKEN_AUDIENCE', 'a token for two services', ofToken({ aud: [AUDIENCE, 'https://mail.example'] })],
  ['ERR_TOKEN_EXPIRED', 'a token that has just expired', ofToken({ exp: NOW_S })],
  ['ERR_TOKEN_EARLY', 'a token from the future', ofToken({ iat: NOW_S + 5 })],
  [
    'ERR_TOKEN_DETAILS',
    'a detail of a type nobody knows',
    ofToken({ authorization_details: [detail({ type: 'payment' })] }),
  ],
  [
    'ERR_TOKEN_DETAILS',
    'a detail with a condition nobody knows',
    ofToken({ authorization_details: [detail({ onlyOnMondays: true })] }),
  ],
  [
    'ERR_TOKEN_ACTOR',
    'a client that is not who acts',
    ofToken({ act: { sub: 'spiffe://corp.example/agent/planner' } }),
  ],
  ['ERR_DPOP_MISSING', 'no proof', { of: () => request({ dpop: undefined }) }],
  ['ERR_DPOP_MISSING', 'no proof in a list', { of: () => request({ dpop: [] }) }],
  [
    'ERR_DPOP_DOUBLED',
    'two proofs',
    { of: async () => request({ dpop: [await dpop('a'), await dpop('b')] }) },
  ],
  ['ERR_DPOP_TOO_LARGE', 'a proof of 9,000 characters', { of: () => request({ dpop: 'a'.repeat(9_000) }) }],
  [
    'ERR_DPOP_MALFORMED',
    'two proofs joined by a comma',
    { of: async () => request({ dpop: `${await dpop('a')}, ${await dpop('b')}` }) },
  ],
  ['ERR_DPOP_TYP', 'a proof of another kind', ofProof({}, { typ: 'JWT' })],
  [
    'ERR_DPOP_ALGORITHM',
    'a proof without a signature',
    {
      of: async () => {
        const token = await accessToken();
        return request({ token, dpop: unsigned(await dpop(token)) });
      },
    },
  ],
  ['ERR_DPOP_KEY', 'a proof with another kind of key', ofProof({}, { jwk: { kty: 'oct' } })],
  ['ERR_DPOP_KEY_PRIVATE', 'a proof that gives its private key away', ofProof({}, { jwk: AGENT_KEY })],
  ['ERR_DPOP_JTI', 'a proof without an id', ofProof({ jti: '' })],
  ['ERR_DPOP_METHOD', 'a proof for another method', ofProof({ htm: 'POST' })],
  ['ERR_DPOP_URL', 'a proof for another URL', ofProof({ htu: 'https://orders.example/orders/18' })],
  ['ERR_DPOP_STALE', 'a proof of a minute ago', ofProof({ iat: NOW_S - 61 })],
  ['ERR_DPOP_EARLY', 'a proof from the future', ofProof({ iat: NOW_S + 61 })],
  ['ERR_DPOP_TOKEN', 'a proof for another token', ofProof({ ath: 'AAAA' })],
  ['ERR_DPOP_TOKEN', 'a proof for no token', ofProof({ ath: undefined })],
  [
    'ERR_DPOP_SIGNATURE',
    'a proof that shows another key than the one that signed',
    ofProof({}, { key: OTHER_KEY, jwk: publicOf(AGENT_KEY) }),
  ],
  ['ERR_DPOP_OTHER_KEY', 'a stolen token with a proof of the thief', ofProof({}, { key: OTHER_KEY })],
  ['ERR_DPOP_REPLAYS_FULL', 'no room for another proof', { options: { replays: full }, of: request }, 503],
  ['ERR_ACT_NOT_GRANTED', 'another tool', { of: () => request({ tool: 'mail.send' }) }, 403],
  ['ERR_ACT_NOT_GRANTED', 'another dataset', { of: () => request({ dataset: 'hr.salaries' }) }, 403],
  ['ERR_ACT_NOT_GRANTED', 'another action', { of: () => request({ action: 'delete' }) }, 403],
  [
    'ERR_ACT_NOT_GRANTED',
    'a grant for another place',
    ofToken({ authorization_details: [detail({ locations: ['https://mail.example'] })] }),
    403,
  ],
  ['ERR_ARGUMENTS_MISSING', 'no arguments', ofToken({ arguments_sha256: sha256Hex('{}') }), 403],
  [
    'ERR_ARGUMENTS_MISSING',
    'arguments that JSON cannot hold',
    {
      of: async () =>
        request({
          token: await accessToken({ arguments_sha256: sha256Hex('{}') }),
          arguments: { amount: NaN },
        }),
    },
    403,
  ],
  [
    'ERR_ARGUMENTS_MISMATCH',
    'other arguments',
    {
      of: async () =>
        request({
          token: await accessToken({ arguments_sha256: sha256Hex('{"amount":5}') }),
          arguments: { amount: 5_000 },
        }),
    },
    403,
  ],
  ['ERR_TOKEN_REVOKED', 'a lease that is over', { options: { lives: 'dead' }, of: request }],
  [
    'ERR_REVOCATION_UNKNOWN',
    'a lease of which nothing is known',
    { options: { lives: 'unknown' }, of: request },
    503,
  ],
  [
    'ERR_INTROSPECTION_FAILED',
    'a broker that does not answer',
    { options: { lives: 'unknown', introspect: () => Promise.reject(new Error('no answer')) }, of: request },
    503,
  ],
  [
    'ERR_TOKEN_INACTIVE',
    'a token that the broker does not vouch for',
    { options: { lives: 'unknown', introspect: () => Promise.resolve('inactive') }, of: request },
  ],
  ['ERR_KEYS_STALE', 'keys that are too old', { options: { keys: staleKeys() }, of: request }, 503],
];

it.each(REFUSALS)('refuses with %s: %s', async (code, _what, { options, of }, httpStatus = 401) => {
  const verdict = await verifierWith(options).check(await of());
  expect(verdict).toMatchObject({ ok: false, code, httpStatus });
});

it('has a way to each refusal', () => {
  // Replays have specs of their own. Nonces are the broker's: a verifier asks for none.
  const elsewhere: VerifierCode[] = ['ERR_DPOP_REPLAYED', 'ERR_DPOP_NONCE'];
  const shown = new Set([...REFUSALS.map(([code]) => code), ...elsewhere]);
  expect([...shown].sort()).toEqual([...VERIFIER_CODES].sort());
});

function unsigned(token: string): string {
  const [header = '', payload, signature] = token.split('.');
  const none = { ...(JSON.parse(Buffer.from(header, 'base64url').toString()) as object), alg: 'none' };
  return [Buffer.from(JSON.stringify(none)).toString('base64url'), payload, signature].join('.');
}

function staleKeys(): FakeKeys {
  const keys = new FakeKeys();
  keys.stale = true;
  return keys;
}
