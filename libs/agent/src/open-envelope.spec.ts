import { inspect } from 'node:util';
import { CompactEncrypt, importJWK } from 'jose';
import { envelopeHeader, openEnvelope } from './open-envelope.js';
import { generateSealKey } from './seal-key.js';
import type { SealKeyPair } from './seal-key.js';

const LEASE = '0192f0a0-0000-7000-8000-00000000000a';
const TASK = '0192f0a0-0000-7000-8000-000000000001';
const CALL = '0192f0a0-0000-7000-8000-000000000002';
const TOPIC = 'mayfly.credential.delivery.v1';
const AGENT = 'spiffe://dev.mayfly/agent/analyst';
const asked = { taskId: TASK, callId: CALL, agent: AGENT };
const credential = {
  kind: 'postgres',
  leaseId: LEASE,
  notAfter: '2026-11-24T19:02:00.000Z',
  connection: {
    host: '127.0.0.1',
    port: 7433,
    database: 'shop',
    user: 'kdev0192',
    password: 'correct-horse',
    tls: { mode: 'disable' },
  },
};

const token = {
  kind: 'jwt',
  leaseId: LEASE,
  notAfter: '2026-11-24T19:02:00.000Z',
  token: 'header.claims.signature',
  dpop: true,
};

const user = {
  kind: 'redis',
  leaseId: LEASE,
  notAfter: '2026-11-24T19:02:00.000Z',
  connection: {
    ...{ host: '127.0.0.1', port: 6379, nodes: [{ host: '127.0.0.1', port: 6379 }] },
    ...{ username: 'kdev0192', password: 'correct-horse', tls: { mode: 'disable' } },
  },
};

const kafkaUser = {
  kind: 'kafka',
  leaseId: LEASE,
  notAfter: '2026-11-24T19:02:00.000Z',
  connection: {
    brokers: ['127.0.0.1:9093'],
    mechanism: 'scram-sha-512',
    username: 'kdev0192',
    password: 'battery-staple',
    tls: { mode: 'disable' },
  },
};

/** Seals as the broker does, with jose as the second implementation. */
async function seal(
  to: SealKeyPair,
  { header = {}, plaintext = credential }: { header?: object; plaintext?: unknown } = {},
): Promise<string> {
  return new CompactEncrypt(Buffer.from(JSON.stringify(plaintext)))
    .setProtectedHeader({
      alg: 'ECDH-ES',
      enc: 'A256GCM',
      typ: 'mayfly-credential+jwe',
      kid: to.thumbprint,
      leaseId: LEASE,
      taskId: TASK,
      callId: CALL,
      agent: AGENT,
      topic: TOPIC,
      ...header,
    })
    .encrypt(await importJWK(to.publicJwk, 'ECDH-ES'));
}

describe.each(['P-256', 'X25519'] as const)('envelope sealed to a %s key', (curve) => {
  const key = generateSealKey(curve);

  it('opens to the credential', async () => {
    const opened = await openEnvelope(await seal(key), key, asked);
    expect(opened).toMatchObject({ kind: 'postgres', leaseId: LEASE, connection: { user: 'kdev0192' } });
    expect(opened.kind === 'postgres' && opened.connection.password.reveal()).toBe('correct-horse');
  });

  it('opens to a token', async () => {
    const opened = await openEnvelope(await seal(key, { plaintext: token }), key, asked);
    expect(opened).toMatchObject({ kind: 'jwt', leaseId: LEASE, dpop: true });
    expect(opened.kind === 'jwt' && opened.token.reveal()).toBe('header.claims.signature');
    expect(inspect(opened, { depth: 9 }) + JSON.stringify(opened)).not.toContain('header.claims');
  });

  it('opens to a user of a Redis', async () => {
    const opened = await openEnvelope(await seal(key, { plaintext: user }), key, asked);
    expect(opened).toMatchObject({ kind: 'redis', leaseId: LEASE, connection: { username: 'kdev0192' } });
    expect(opened.kind === 'redis' && opened.connection.password.reveal()).toBe('correct-horse');
    expect(inspect(opened, { depth: 9 }) + JSON.stringify(opened)).not.toContain('correct-horse');
  });

  it('opens to a Kafka user', async () => {
    const opened = await openEnvelope(await seal(key, { plaintext: kafkaUser }), key, asked);
    expect(opened).toMatchObject({ kind: 'kafka', leaseId: LEASE, connection: { username: 'kdev0192' } });
    expect(opened.kind === 'kafka' && opened.connection.password.reveal()).toBe('battery-staple');
    expect(inspect(opened, { depth: 9 }) + JSON.stringify(opened)).not.toContain('battery-staple');
  });

  it('does not open with another key', async () => {
    const other = { ...generateSealKey(curve), thumbprint: key.thumbprint };
    await expect(openEnvelope(await seal(key), other, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_INVALID',
      message: 'the envelope does not open',
    });
  });
});

describe('envelope', () => {
  const key = generateSealKey();

  it('never shows the password when the credential is printed', async () => {
    const opened = await openEnvelope(await seal(key), key, asked);
    expect(inspect(opened, { depth: 9 }) + JSON.stringify(opened)).not.toContain('correct-horse');
  });

  it.each([
    ['taskId', { taskId: '0192f0a0-0000-7000-8000-0000000000ee' }],
    ['callId', { callId: '0192f0a0-0000-7000-8000-0000000000ee' }],
    ['agent', { agent: 'spiffe://dev.mayfly/agent/planner' }],
    ['topic', { topic: 'mayfly.other.v1' }],
    ['kid', { kid: 'another-key' }],
  ])('for another %s is refused', async (member, header) => {
    await expect(openEnvelope(await seal(key, { header }), key, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_MISMATCH',
      message: 'the envelope was made for another call',
      fields: { member },
    });
  });

  it('that names one lease outside and another inside is refused', async () => {
    const envelope = await seal(key, { header: { leaseId: '0192f0a0-0000-7000-8000-0000000000ee' } });
    await expect(openEnvelope(envelope, key, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_MISMATCH',
      fields: { member: 'leaseId' },
    });
  });

  it.each([
    ['another type', { typ: 'JOSE' }],
    ['party info', { apu: 'QWxpY2U' }],
    ['another content cipher', { enc: 'A128GCM' }],
  ])('with %s in its header is refused', async (_what, header) => {
    await expect(openEnvelope(await seal(key, { header }), key, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_INVALID',
      message: 'the envelope has no header of a credential',
    });
  });

  it('with one bit changed does not open', async () => {
    const parts = (await seal(key)).split('.');
    const ciphertext = Buffer.from(parts[3]!, 'base64url');
    ciphertext[0]! ^= 1;
    parts[3] = ciphertext.toString('base64url');
    await expect(openEnvelope(parts.join('.'), key, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_INVALID',
    });
  });

  it('that holds something else is refused without quoting it', async () => {
    const envelope = await seal(key, { plaintext: { ...credential, connection: 'correct-horse' } });
    const failed: unknown = await openEnvelope(envelope, key, asked).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: 'ERR_ENVELOPE_INVALID',
      message: 'the envelope holds no credential',
    });
    expect(inspect(failed)).not.toContain('correct-horse');
  });

  it.each([
    ['a token that anybody may use', { ...token, dpop: false }],
    ['a token without an end', { ...token, notAfter: undefined }],
    ['a kind that is not known', { ...token, kind: 'bearer' }],
  ])('with %s is refused', async (_what, plaintext) => {
    await expect(openEnvelope(await seal(key, { plaintext }), key, asked)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_INVALID',
    });
  });

  it.each(['', 'a.b.c.d.e', 'x'.repeat(70_000)])('is refused when it is no JWE', (text) => {
    expect(() => envelopeHeader(text)).toThrow(
      expect.objectContaining({ code: 'ERR_ENVELOPE_INVALID' }) as Error,
    );
  });
});
