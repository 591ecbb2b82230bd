import { inspect } from 'node:util';
import { Secret } from '#providers/secret.js';
import { kafkaCredential } from './kafka-credential.js';
import type { OpenedKafka } from './open-envelope.js';

const opened: OpenedKafka = {
  kind: 'kafka',
  leaseId: '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88',
  notAfter: '2026-03-01T10:02:00.000Z',
  connection: {
    brokers: ['kafka-1.example:9093', 'kafka-2.example:9093'],
    mechanism: 'scram-sha-512',
    username: 'kdev01jdba979ffgrrp7jf18p6tzm8',
    password: new Secret('correct-horse'),
    tls: { mode: 'verify-full', ca: 'PEM' },
  },
};
const LATER = '2026-03-01T10:04:00.000Z';

it('says what a client wants to know', () => {
  const { connection } = kafkaCredential(opened, () => Promise.resolve(LATER));

  expect(connection).toMatchObject({
    brokers: opened.connection.brokers,
    ssl: { rejectUnauthorized: true, ca: ['PEM'] },
    sasl: { mechanism: 'scram-sha-512', username: opened.connection.username, password: 'correct-horse' },
  });
});

it('does without TLS only where the target does', () => {
  const plain = { ...opened.connection, tls: { mode: 'disable' as const } };
  const { connection } = kafkaCredential({ ...opened, connection: plain }, () => Promise.resolve(LATER));

  expect(connection.ssl).toBe(false);
});

it('shows no password when it is printed', () => {
  const credential = kafkaCredential(opened, () => Promise.resolve(LATER));

  const printed = inspect(credential, { depth: null, getters: true }) + JSON.stringify(credential);
  expect(printed).not.toContain('correct-horse');
});

it('ends later once it was renewed', async () => {
  const credential = kafkaCredential(opened, () => Promise.resolve(LATER));

  expect(credential.notAfter).toBe(opened.notAfter);
  await expect(credential.renew()).resolves.toBe(LATER);
  expect(credential.notAfter).toBe(LATER);
});
