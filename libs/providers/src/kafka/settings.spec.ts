import { inspect } from 'node:util';
import { isSameTarget, targetSettings } from '../target-settings.js';
import { addressOf, kafkaSettings } from './settings.js';

const written = {
  id: 'events',
  provider: 'kafka',
  maxTtlMs: '300000',
  connection: { brokers: 'kafka-1.example:9093, kafka-2.example:9093' },
  login: { user: 'mayfly_broker', password: 'hunter2' },
  namespace: 'dev',
};
const withConnection = (connection: object) => ({ ...written, connection });

it('takes brokers as text or as a list, verifies TLS unless told otherwise and hides the password', () => {
  const settings = kafkaSettings.parse(written);

  expect(settings).toMatchObject({
    maxTtlMs: 300_000,
    connection: {
      brokers: ['kafka-1.example:9093', 'kafka-2.example:9093'],
      tls: { mode: 'verify-full' },
    },
    ...{ scram: 'scram-sha-512', scramIterations: 4_096 },
  });
  expect(settings.login.mechanism).toBe('scram-sha-512');
  expect(settings.login.password.reveal()).toBe('hunter2');
  expect(inspect(settings, { depth: null }) + JSON.stringify(settings)).not.toContain('hunter2');
  const listed = { brokers: ['[::1]:9092'], tls: { mode: 'disable' } };
  expect(kafkaSettings.parse(withConnection(listed)).connection.brokers).toEqual(['[::1]:9092']);
});

it.each([
  ['kafka.example:9093', { host: 'kafka.example', port: 9_093 }],
  ['[2001:db8::1]:9092', { host: '2001:db8::1', port: 9_092 }],
])('finds %s', (broker, address) => expect(addressOf(broker)).toEqual(address));

it.each([
  ['TLS disabled across a network', withConnection({ ...written.connection, tls: { mode: 'disable' } })],
  [
    'TLS disabled, and one broker of several across a network',
    withConnection({ brokers: '127.0.0.1:9092,kafka.example:9092', tls: { mode: 'disable' } }),
  ],
  ['no broker', withConnection({ brokers: '' })],
  ['a broker without a port', withConnection({ brokers: 'kafka.example' })],
  ['an unknown key', { ...written, passwrod: 'x' }],
  ['a namespace of four', { ...written, namespace: 'prod' }],
  ['fewer iterations than Kafka takes', { ...written, scramIterations: 4_095 }],
  ['more iterations than Kafka takes', { ...written, scramIterations: 16_385 }],
  ['principals that log in with a password in clear', { ...written, scram: 'plain' }],
  ['no password', { ...written, login: { user: 'x', password: '' } }],
])('refuses %s', (_what, settings) => {
  expect(targetSettings.safeParse(settings).success).toBe(false);
});

it('is another target with another password', () => {
  const other = { ...written, login: { ...written.login, password: 'hunter3' } };

  expect(isSameTarget(targetSettings.parse(written), targetSettings.parse(written))).toBe(true);
  expect(isSameTarget(targetSettings.parse(written), targetSettings.parse(other))).toBe(false);
});
