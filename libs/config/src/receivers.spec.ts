/** The revoker's outlets beside the bus, as an operator configures them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import { loadConfig } from './load.js';

const SAMPLE = 'deploy/sample/mayfly.yaml';
const env = {
  MAYFLY_ENV: 'development',
  KAFKA_BROKERS: 'kafka-1:9092',
  MAYFLY_REVOKER_DATABASE_URL: 'postgres://mayfly_revoker:hunter2@127.0.0.1:7432/mayfly',
  SIEM: 'Bearer s3cret',
};
const folder = mkdtempSync(join(tmpdir(), 'mayfly-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function withReceivers(receivers: string, change = (text: string) => text): string {
  const file = join(folder, 'mayfly.yaml');
  const caep = `    caep:\n      tokenIssuer: https://broker.example\n      receivers: [${receivers}]\n`;
  const text = readFileSync(SAMPLE, 'utf8').replace('    statusList:\n', `${caep}    statusList:\n`);
  writeFileSync(file, change(text));
  return file;
}

function refusalOf(file: string, variables: Record<string, string> = env): ConfigError {
  try {
    loadConfig(file, variables, 'revoker');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected a ConfigError');
}

it('tells nobody outside the bus unless somebody is named, and serves short-lived status lists', () => {
  const { revoker } = loadConfig(SAMPLE, env, 'revoker').services;
  expect(revoker).toMatchObject({
    publicUrl: 'http://127.0.0.1:7071',
    statusList: { ttlMs: 5_000, validMs: 60_000 },
  });
  expect(revoker).not.toHaveProperty('caep');
});

it('takes receivers to push to, with a secret from the environment, and such as poll', () => {
  const file = withReceivers(
    '{ id: siem, audience: a, url: https://siem.example/events, authorization: "${SIEM}" }, ' +
      '{ id: dwh, audience: b, poller: spiffe://dev.mayfly/tool/dwh }',
  );
  expect(loadConfig(file, env, 'revoker').services.revoker.caep?.receivers).toEqual([
    { id: 'siem', audience: 'a', url: 'https://siem.example/events', authorization: 'Bearer s3cret' },
    { id: 'dwh', audience: 'b', poller: 'spiffe://dev.mayfly/tool/dwh' },
  ]);
});

it.each([
  ['neither pushed to nor polling', '{ id: a, audience: a }'],
  ['both', '{ id: a, audience: a, url: https://a.example, poller: spiffe://a/b }'],
  ['in clear beyond this machine', '{ id: a, audience: a, url: http://a.example }'],
  ['with an authorization for nothing', '{ id: a, audience: a, poller: spiffe://a/b, authorization: x }'],
  [
    'two of one name',
    '{ id: a, audience: a, poller: spiffe://a/b }, { id: a, audience: b, poller: spiffe://a/c }',
  ],
  ['whose poller is no SPIFFE id', '{ id: a, audience: a, poller: somebody }'],
  ['with a name that is none', '{ id: A/b, audience: a, poller: spiffe://a/b }'],
])('refuses a receiver %s', (_what, receivers) => {
  const error = refusalOf(withReceivers(receivers));
  expect(error.code).toBe('ERR_CONFIG_INVALID');
  expect(error.key).toMatch(/^services\.revoker\.caep\.receivers/);
});

it('pushes in clear on this machine in development, and nowhere in production', () => {
  const receiver = '{ id: a, audience: a, url: http://127.0.0.1:9000/events }';
  expect(() => loadConfig(withReceivers(receiver), env, 'revoker')).not.toThrow();
  const { MAYFLY_ENV: _, ...production } = env;
  const file = withReceivers(receiver, (text) => text.replaceAll('development: true', 'development: false'));
  expect(refusalOf(file, production)).toMatchObject({
    code: 'ERR_CONFIG_UNSAFE',
    key: 'services.revoker.caep.receivers.0.url',
  });
});

it('lets no copy of a list be used for longer than it is valid', () => {
  const file = withReceivers('{ id: a, audience: a, poller: spiffe://a/b }', (text) =>
    text.replace('ttlMs: 5000', 'ttlMs: 90000'),
  );
  expect(refusalOf(file)).toMatchObject({ key: 'services.revoker.statusList.ttlMs' });
});
