/** What RFC 9449 §4.3 asks of a proof, at the token endpoint. */
import { ProofKey } from '#agent/proof-key.js';
import { ISSUER } from '../../../test/harness.js';
import type { Answered, Door, HttpWorld } from '../../../test/http-world.js';
import { dpop, OAuthAgent, openOAuthWorld, type ProofChange } from '../../../test/oauth-client.js';

let http: HttpWorld;
let door: Door;
let agent: OAuthAgent;
let taskId: string;
beforeEach(async () => {
  ({ http, door, agent, taskId } = await openOAuthWorld());
});
afterEach(() => http.close());

describe('RFC 9449 §4.3: a proof is refused', () => {
  const proofs: [what: string, code: string, change: ProofChange][] = [
    ['of another typ', 'ERR_DPOP_TYP', { header: { typ: 'JWT' } }],
    ['without an algorithm', 'ERR_DPOP_ALGORITHM', { header: { alg: 'none' } }],
    ['with a symmetric algorithm', 'ERR_DPOP_ALGORITHM', { header: { alg: 'HS256' } }],
    ['without a key', 'ERR_DPOP_KEY', { header: { jwk: undefined } }],
    [
      'with a private key in it',
      'ERR_DPOP_KEY_PRIVATE',
      { header: { jwk: { kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' } } },
    ],
    ['signed by another key', 'ERR_DPOP_SIGNATURE', { key: ProofKey.generate() }],
    ['without an id', 'ERR_DPOP_JTI', { claims: { jti: undefined } }],
    ['for another method', 'ERR_DPOP_METHOD', { claims: { htm: 'GET' } }],
    ['for another URL', 'ERR_DPOP_URL', { claims: { htu: `${ISSUER}/oauth/introspect` } }],
    ['that is old', 'ERR_DPOP_STALE', { claims: { iat: Math.floor(Date.now() / 1_000) - 300 } }],
    ['from the future', 'ERR_DPOP_EARLY', { claims: { iat: Math.floor(Date.now() / 1_000) + 300 } }],
  ];
  it.each(proofs)('%s: %s', async (_what, code, change) => {
    await agent.send(taskId);
    expect(await agent.send(taskId, {}, change)).toMatchObject({
      status: 400,
      json: { error: 'invalid_dpop_proof', mayfly_code: code },
    });
  });

  it('that is not there, or there twice', async () => {
    const form = agent.form(taskId);
    expect((await agent.post(form, undefined)).json).toMatchObject({ mayfly_code: 'ERR_DPOP_MISSING' });
    const twice = `${dpop(agent.speaker.key, agent.nonce)}, ${dpop(agent.speaker.key, agent.nonce)}`;
    expect((await agent.post(form, twice)).json).toMatchObject({ mayfly_code: 'ERR_DPOP_MALFORMED' });
  });

  it('with a nonce of nobody', async () => {
    expect((await agent.send(taskId, {}, { claims: { nonce: 'mine' } })).json).toMatchObject({
      error: 'use_dpop_nonce',
    });
  });
});

it('a form with a parameter twice, of another kind, that is too large, or beside Basic, is refused', async () => {
  const fetched = async (body: string, headers: Record<string, string> = {}): Promise<[number, unknown]> => {
    const reply = await fetch(`${door.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body,
    });
    return [reply.status, ((await reply.json()) as Answered['json'])['mayfly_code']];
  };
  const form = new URLSearchParams(agent.form(taskId) as Record<string, string>).toString();
  expect(await fetched(`${form}&grant_type=x`)).toEqual([400, 'ERR_FORM_INVALID']);
  expect(await fetched('{}', { 'content-type': 'application/json' })).toEqual([400, 'ERR_MEDIA_TYPE']);
  expect(await fetched('a='.padEnd(20_000, 'x'))).toEqual([400, 'ERR_BODY_TOO_LARGE']);
  expect(await fetched(form, { authorization: 'Basic YTpi' })).toEqual([401, 'ERR_CLIENT_MISSING']);
  expect(await fetched(Array.from({ length: 40 }, (_, n) => `p${n}=1`).join('&'))).toEqual([
    400,
    'ERR_FORM_INVALID',
  ]);
});
