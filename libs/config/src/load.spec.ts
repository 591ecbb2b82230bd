import { join } from 'node:path';
import { edited, env, refusalOf, SAMPLE } from '../test/sample-file.js';
import { loadConfig } from './load.js';

it('loads the sample for the broker with nothing but the broker’s variables', () => {
  const config = loadConfig(SAMPLE, env, 'broker');

  expect(config).toMatchObject({
    environment: 'development',
    stateDir: 'state',
    bus: { kafka: { brokers: ['kafka-1:9092', 'kafka-2:9092'] } },
    services: {
      broker: {
        http: { host: '127.0.0.1', port: 18070 },
        database: { url: env.MAYFLY_BROKER_DATABASE_URL, schema: 'broker' },
        signingKey: 'state/keys/broker.jwk',
      },
    },
    trust: {
      issuers: [
        { type: 'spiffe', trustDomain: 'dev.mayfly', bundle: 'state/dev-ca/bundle.json', development: true },
        {
          type: 'oidc',
          issuer: 'https://login.dev.mayfly',
          jwks: 'state/dev-login/jwks.json',
          development: true,
        },
      ],
      services: { auditor: { jwks: 'state/keys/auditor.jwks.json' } },
      maxClockSkewMs: 2000,
    },
  });
  expect(config.bus.kafka).not.toHaveProperty('sasl');
  expect(config.bus.kafka).not.toHaveProperty('tls');
  expect(Object.keys(config.services)).toEqual(['broker']);
});

it('resolves the catalogue and policy folders beside the file', () => {
  const config = loadConfig(SAMPLE, env, 'broker');

  expect(config.catalogue).toBe(join(process.cwd(), 'deploy/sample/catalogue'));
  expect(config.policy).toBe(join(process.cwd(), 'deploy/sample/policy'));
});

it('takes the bus in PostgreSQL, in the schema `bus`, where its login is given and no Kafka is', () => {
  const url = 'postgres://mayfly_bus_broker:hunter2@127.0.0.1:7432/mayfly';
  const variables = { ...env, KAFKA_BROKERS: '', MAYFLY_BUS_DATABASE_URL: url };

  expect(loadConfig(SAMPLE, variables, 'broker').bus).toEqual({ postgres: { url, schema: 'bus' } });
});

it('loads for the command line without any service’s variables', () => {
  expect(loadConfig(SAMPLE, { MAYFLY_ENV: 'development', KAFKA_BROKERS: 'k:1' }, 'cli').services).toEqual({});
});

it('turns SASL and TLS on from the environment', () => {
  const variables = {
    ...env,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: 'mayfly',
    KAFKA_SASL_PASSWORD: '123456',
    KAFKA_TLS_ENABLED: 'true',
  };

  expect(loadConfig(SAMPLE, variables, 'broker').bus.kafka).toMatchObject({
    sasl: { mechanism: 'scram-sha-512', username: 'mayfly', password: '123456' },
    tls: { enabled: true },
  });
});

it('has calls decided by compiled policies unless told otherwise', () => {
  const decisions = (file: string) => loadConfig(file, env, 'broker').services.broker.decisions;
  const depth = 'maxDelegationDepth: 8';
  expect(decisions(SAMPLE)).toEqual({ by: 'compiled', confirmOneIn: 100 });
  expect(decisions(edited(depth, `decisions: { by: engine }\n    ${depth}`)).by).toBe('engine');
  expect(refusalOf(edited(depth, `decisions: { confirmOneIn: 0 }\n    ${depth}`))).toMatchObject({
    key: 'services.broker.decisions.confirmOneIn',
  });
});

describe('the signer', () => {
  const url = 'postgres://mayfly_signer:hunter2@127.0.0.1:7432/mayfly';
  const variables = { MAYFLY_ENV: 'development', MAYFLY_SIGNER_DATABASE_URL: url };

  it('needs its own login and no bus', () => {
    expect(loadConfig(SAMPLE, variables, 'signer')).toMatchObject({
      bus: {},
      services: {
        signer: {
          http: { host: '127.0.0.1', port: 7074 },
          database: { url, schema: 'audit' },
          keys: ['.mayfly/keys/log-signer.key'],
        },
      },
    });
  });

  it('may have several keys', () => {
    const file = edited('keys: ${MAYFLY_STATE_DIR:-.mayfly}/keys/log-signer.key', 'keys: [old.key, new.key]');

    expect(loadConfig(file, variables, 'signer').services.signer.keys).toEqual(['old.key', 'new.key']);
  });

  it.each(['[]', '[a, b, c, d, e]', "''"])('is refused with %s for keys', (keys) => {
    const file = edited('keys: ${MAYFLY_STATE_DIR:-.mayfly}/keys/log-signer.key', `keys: ${keys}`);

    expect(refusalOf(file, variables, 'signer')).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      key: 'services.signer.keys',
    });
  });

  it('has the only key of the log: the auditor is given none', () => {
    const file = edited('pseudonymKey:', 'signerKey: log-signer.key\n      pseudonymKey:');

    expect(refusalOf(file)).toMatchObject({
      code: 'ERR_CONFIG_UNKNOWN_KEY',
      key: 'services.auditor.log.signerKey',
    });
  });
});
