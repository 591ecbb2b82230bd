import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edited, env, folder, lineIn, refusalOf, SAMPLE } from '../test/sample-file.js';
import { configErrorLine } from './config-error.js';
import { loadConfig } from './load.js';

it('refuses a file that is not there', () => {
  const error = refusalOf(join(folder, 'none.yaml'));

  expect(error).toMatchObject({ code: 'ERR_CONFIG_MISSING', line: undefined });
  expect(configErrorLine(error)).toBe(`${join(folder, 'none.yaml')}: cannot be read (ERR_CONFIG_MISSING)`);
});

it('refuses what is not YAML, with the line', () => {
  const file = edited('stateDir: ${MAYFLY_STATE_DIR:-.mayfly}', 'stateDir: [');

  expect(refusalOf(file)).toMatchObject({ code: 'ERR_CONFIG_SYNTAX', message: 'not valid YAML', file });
});

it('refuses a key given twice', () => {
  const file = edited('policy: ./policy', 'policy: ./policy\npolicy: ./other');

  expect(refusalOf(file)).toMatchObject({
    code: 'ERR_CONFIG_SYNTAX',
    fields: { problem: 'duplicate key' },
  });
});

it('names an unknown key with its line, and says it in one line', () => {
  const file = edited('catalogue: ./catalogue', 'catalog: ./catalogue\ncatalogue: ./catalogue');
  const line = lineIn(file, 'catalog: ');

  const error = refusalOf(file);

  expect(error).toMatchObject({ code: 'ERR_CONFIG_UNKNOWN_KEY', key: 'catalog', line });
  expect(configErrorLine(error)).toBe(`${file}:${line}: catalog: unknown key (ERR_CONFIG_UNKNOWN_KEY)`);
});

it('finds an unknown key in another service’s section too', () => {
  const file = edited('schema: revoker', 'schema: revoker\n      shcema: revoker');

  expect(refusalOf(file)).toMatchObject({
    code: 'ERR_CONFIG_UNKNOWN_KEY',
    key: 'services.revoker.database.shcema',
    line: lineIn(file, 'shcema'),
  });
});

it('names a required variable that is not set', () => {
  const error = refusalOf(SAMPLE, env, 'revoker');

  expect(error).toMatchObject({
    code: 'ERR_CONFIG_VARIABLE',
    key: 'services.revoker.database.url',
    line: lineIn(SAMPLE, 'MAYFLY_REVOKER_DATABASE_URL'),
    fields: { variable: 'MAYFLY_REVOKER_DATABASE_URL' },
  });
});

it('refuses a reference it cannot read', () => {
  const file = edited('${KAFKA_BROKERS:-}', '${kafka}');

  expect(refusalOf(file)).toMatchObject({ code: 'ERR_CONFIG_VARIABLE', key: 'bus.kafka.brokers' });
});

it.each(['http', '70700', '-1', '7070.5'])('refuses %s as a port', (port) => {
  expect(refusalOf(SAMPLE, { ...env, MAYFLY_BROKER_PORT: port })).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'services.broker.http.port',
    line: lineIn(SAMPLE, 'MAYFLY_BROKER_PORT'),
  });
});

it.each([-1, 17, 1.5])('refuses tasks that are delegated %s times', (depth) => {
  expect(loadConfig(SAMPLE, env, 'broker').services.broker.maxDelegationDepth).toBe(8);
  const file = edited('maxDelegationDepth: 8', `maxDelegationDepth: ${depth}`);
  expect(refusalOf(file)).toMatchObject({ key: 'services.broker.maxDelegationDepth' });
});

it.each([
  ['neither kafka nor postgres is set', {}],
  ['kafka and postgres are both set', { KAFKA_BROKERS: 'k:1', MAYFLY_BUS_DATABASE_URL: 'postgres://b@c/d' }],
])('refuses a bus of which %s', (message, bus) => {
  const { KAFKA_BROKERS: _, ...variables } = env;

  const error = refusalOf(SAMPLE, { ...variables, ...bus });

  expect(error).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'bus',
    message,
    line: lineIn(SAMPLE, 'bus:'),
  });
});

it('refuses a broker without a port', () => {
  expect(refusalOf(SAMPLE, { ...env, KAFKA_BROKERS: 'kafka-1' })).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'bus.kafka.brokers.0',
    message: 'must be host:port',
  });
});

it('refuses SASL that is only half given', () => {
  expect(refusalOf(SAMPLE, { ...env, KAFKA_SASL_USERNAME: 'mayfly' })).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'bus.kafka.sasl.mechanism',
  });
});

it('says that a member is missing, on the line of the section that lacks it', () => {
  const file = edited('audience: mayfly', '# no audience');

  expect(refusalOf(file)).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'trust.issuers.0.audience',
    message: 'missing',
    line: lineIn(file, '- type: spiffe'),
  });
});

it('demands the section of the service that asks', () => {
  const file = join(folder, 'mayfly.yaml');
  writeFileSync(
    file,
    'environment: production\nstateDir: s\nbus: { kafka: { brokers: "k:1" } }\nservices: {}\n' +
      'trust: { issuers: [{ type: spiffe, trustDomain: corp.example, bundle: b, audience: mayfly }], services: {} }\n' +
      'catalogue: c\npolicy: p\n',
  );

  expect(refusalOf(file)).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: 'services.broker',
    message: 'missing',
    line: 4,
  });
  expect(loadConfig(file, {}, 'cli').trust.maxClockSkewMs).toBe(2000);
});

it('refuses a development issuer in production, which is the default', () => {
  const { MAYFLY_ENV: _, ...production } = env;

  const error = refusalOf(SAMPLE, production);

  expect(error).toMatchObject({
    code: 'ERR_CONFIG_UNSAFE',
    key: 'trust.issuers.0.development',
    line: lineIn(SAMPLE, 'development: true'),
    message: 'a development issuer needs environment: development',
  });
});

it('keeps a development set-up on loopback', () => {
  const error = refusalOf(edited('host: 127.0.0.1', 'host: 0.0.0.0'));

  expect(error).toMatchObject({
    code: 'ERR_CONFIG_UNSAFE',
    key: 'services.broker.http.host',
    message: 'development binds to loopback only',
  });
});

describe('in production', () => {
  const { MAYFLY_ENV: _, ...production } = env;
  function beyondLoopback(more = ''): string {
    const file = edited('host: 127.0.0.1', `host: 0.0.0.0${more}`);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replaceAll('development: true', 'development: false'));
    return file;
  }

  it('a service is not reached from other machines in clear, where tokens could be read', () => {
    expect(refusalOf(beyondLoopback(), production)).toMatchObject({
      code: 'ERR_CONFIG_UNSAFE',
      key: 'services.broker.http.host',
      message: 'beyond loopback only behind TLS: set behindTls where it is',
    });
  });

  it('a service may listen to what ends TLS in front of it', () => {
    const config = loadConfig(beyondLoopback('\n      behindTls: true'), production, 'broker');

    expect(config.services.broker.http).toMatchObject({ host: '0.0.0.0', behindTls: true });
  });
});

it('never shows a value, which may be a secret', () => {
  const error = refusalOf(SAMPLE, { ...env, MAYFLY_BROKER_DATABASE_URL: 'mysql://root:hunter2@db/x' });

  expect(error).toMatchObject({ code: 'ERR_CONFIG_INVALID', key: 'services.broker.database.url' });
  expect(configErrorLine(error) + JSON.stringify(error) + String(error.stack)).not.toContain('hunter2');
});
