import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, compactDecrypt } from 'jose';
import type { SealKey } from '#events/inbound.js';
import { sealCredential, sealKeyThumbprint, validSealKey } from './seal.js';

const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const x25519 = generateKeyPairSync('x25519');
const P256 = p256.publicKey.export({ format: 'jwk' }) as SealKey & { kty: 'EC' };
const X25519 = x25519.publicKey.export({ format: 'jwk' }) as SealKey & { kty: 'OKP' };
const lease = {
  leaseId: '01936f2e-a000-7000-9000-000000000003',
  taskId: '01936f2e-7c4a-7e11-8a5b-0123456789ab',
  callId: '01936f2e-9000-7000-9000-000000000002',
  agent: 'spiffe://corp.example/agent/analyst',
  topic: 'mayfly.credential.delivery.v1',
};
const plaintext = {
  kind: 'postgres',
  connection: { user: 'mfa1', password: 'pa\u00dfw\u00f6rd \ud83d\ude80' },
};

describe.each([
  ['P-256', P256, p256.privateKey],
  ['X25519', X25519, x25519.privateKey],
] as const)('a credential sealed to %s', (_curve, sealTo, privateKey) => {
  const sealed = sealCredential({ sealTo, plaintext, lease });

  it('is opened by jose with its owner\u2019s key', async () => {
    const opened = await compactDecrypt(sealed, privateKey, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    expect(JSON.parse(Buffer.from(opened.plaintext).toString())).toEqual(plaintext);
    const { epk, ...header } = opened.protectedHeader;
    expect(header).toEqual({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      typ: 'mayfly-credential+jwe',
      kid: await calculateJwkThumbprint(sealTo),
      ...lease,
    });
    expect(epk).toMatchObject({ kty: sealTo.kty, crv: sealTo.crv });
    expect(epk).not.toHaveProperty('d');
  });

  it('cannot be passed off as another lease\u2019s', async () => {
    const [header = '', ...rest] = sealed.split('.');
    const other = Buffer.from(header, 'base64url').toString().replace(lease.leaseId, lease.callId);
    const moved = [Buffer.from(other).toString('base64url'), ...rest].join('.');
    await expect(compactDecrypt(moved, privateKey)).rejects.toThrow();
  });

  it('is sealed with a fresh key each time', () => {
    const again = sealCredential({ sealTo, plaintext, lease });
    expect(again.split('.')[0]).not.toBe(sealed.split('.')[0]);
  });

  it('names the key by its thumbprint, whatever kid is inside', () => {
    expect(sealKeyThumbprint(Object.assign({ kid: 'mine' }, sealTo))).toBe(sealKeyThumbprint(sealTo));
  });
});

it('many credentials in a row all open: no leading zero of the agreed secret is lost', async () => {
  for (let n = 0; n < 600; n += 1) {
    const sealed = sealCredential({ sealTo: P256, plaintext: { n }, lease });
    const opened = await compactDecrypt(sealed, p256.privateKey);
    expect(Buffer.from(opened.plaintext).toString()).toBe(JSON.stringify({ n }));
  }
});

describe('a seal key', () => {
  it('on its curve is valid', () => {
    expect([validSealKey(P256), validSealKey(X25519)]).toEqual([true, true]);
  });

  it.each<[string, SealKey]>([
    ['a point off the curve', { ...P256, y: P256.x }],
    ['the point of zeros', { ...P256, x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['a short coordinate', { ...P256, x: 'AAAA' }],
    ['an unusual text for a coordinate', { ...P256, x: `${P256.x}=` }],
    ['an X25519 point of small order (RFC 7748 \u00a76.1)', { ...X25519, x: 'A'.repeat(43) }],
    ['a short X25519 key', { ...X25519, x: 'AAAA' }],
  ])('is not %s', (_what, key) => {
    expect(validSealKey(key)).toBe(false);
    expect(() => sealCredential({ sealTo: key, plaintext, lease })).toThrow(
      expect.objectContaining({ code: 'ERR_IDENTITY_SEAL_KEY_INVALID' }),
    );
  });
});
