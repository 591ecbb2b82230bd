import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { CompactSign, compactVerify } from 'jose';
import { AGENT_ED25519_KEY, AGENT_KEY, keyObject } from '../test/fixtures.js';
import { readJws, signJws, verifyJws, verifyJwsElsewhere, type JwsAlgorithm } from './jws.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve });
const ed25519 = generateKeyPairSync('ed25519');
const keys: [JwsAlgorithm, { privateKey: KeyObject; publicKey: KeyObject }][] = [
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', ec('P-256')],
  ['ES384', ec('P-384')],
  ['ES512', ec('P-521')],
  ['Ed25519', ed25519],
  ['EdDSA', ed25519],
];
const PAYLOAD = '{"taskId":"01936f2e-7c4a-7e11-8a5b-0123456789ab"}';

/** Here and by another thread, which must agree. */
async function verified(...of: Parameters<typeof verifyJws>): Promise<boolean> {
  const here = verifyJws(...of);
  expect(await verifyJwsElsewhere(...of)).toBe(here);
  return here;
}

describe.each(keys)('%s', (alg, { privateKey, publicKey }) => {
  it('signed here verifies with jose', async () => {
    const { payload, protectedHeader } = await compactVerify(
      signJws({ alg, typ: 'test' }, PAYLOAD, privateKey),
      publicKey,
      { algorithms: [alg] },
    );
    expect(Buffer.from(payload).toString()).toBe(PAYLOAD);
    expect(protectedHeader).toEqual({ alg, typ: 'test' });
  });

  it('signed by jose verifies here', async () => {
    const token = await new CompactSign(Buffer.from(PAYLOAD)).setProtectedHeader({ alg }).sign(privateKey);
    const jws = readJws(token);
    expect(jws?.payload.toString()).toBe(PAYLOAD);
    expect(jws && (await verified(jws, publicKey, alg))).toBe(true);
  });

  it('is refused after a change, and under another key', async () => {
    const token = signJws({ alg }, PAYLOAD, privateKey);
    const jws = readJws(token);
    const forged = readJws(
      `${Buffer.from(`{"alg":"${alg}","x":1}`).toString('base64url')}.${token.split('.').slice(1).join('.')}`,
    );
    expect(forged && (await verified(forged, publicKey, alg))).toBe(false);
    for (const [, other] of keys.filter(([, pair]) => pair.publicKey !== publicKey))
      expect(jws && (await verified(jws, other.publicKey, alg))).toBe(false);
  });
});

describe('reading a compact JWS', () => {
  const token = signJws({ alg: 'Ed25519' }, PAYLOAD, keyObject(AGENT_ED25519_KEY));
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const encode = (text: string) => Buffer.from(text).toString('base64url');

  it.each([
    ['two parts', `${header}.${payload}`],
    ['four parts', `${token}.x`],
    ['an empty signature', `${header}.${payload}.`],
    ['padding', `${header}.${payload}.${signature}=`],
    ['base64 instead of base64url', `${header}.${encode('???>>>')}+/.${signature}`],
    ['white space', `${header}.${payload}.${signature}\n`],
    ['unused bits that are set', `${header}.${payload}.AB`],
    ['a header that is no JSON', `${encode('alg')}.${payload}.${signature}`],
    ['a header that is an array', `${encode('[]')}.${payload}.${signature}`],
    [
      'a critical extension',
      `${encode('{"alg":"Ed25519","crit":["b64"],"b64":false}')}.${payload}.${signature}`,
    ],
    ['more than 16,384 characters', `${header}.${'A'.repeat(16_384)}.${signature}`],
  ])('refuses %s', (_what, bent) => {
    expect(readJws(bent)).toBeUndefined();
  });

  it('reads what it wrote', () => {
    expect(readJws(token)?.header).toEqual({ alg: 'Ed25519' });
  });
});

it('a signature of another length than its algorithm\u2019s is refused before OpenSSL sees it', async () => {
  const token = signJws({ alg: 'ES256' }, PAYLOAD, keyObject(AGENT_KEY));
  const jws = readJws(token);
  const longer = jws && { ...jws, signature: Buffer.concat([jws.signature, Buffer.of(0)]) };
  expect(longer && (await verified(longer, keys[6]?.[1].publicKey as KeyObject, 'ES256'))).toBe(false);
});

it('signing with a key of another kind is an error of the caller', () => {
  expect(() => signJws({ alg: 'ES256' }, {}, keyObject(AGENT_ED25519_KEY))).toThrow(TypeError);
});
