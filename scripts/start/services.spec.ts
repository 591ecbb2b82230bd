import { serviceEnvironment } from './services.mjs';

const shell = {
  PATH: 'bin',
  KAFKA_SASL_USERNAME: 'mayfly',
  DATABASE_URL: 'postgres://admin',
  PGOPTIONS: '-c role=admin',
  MAYFLY_BROKER_DATABASE_URL: 'postgres://broker',
  MAYFLY_TARGET_PASSWORD: 'of somebody',
  MAYFLY_ENV: 'test',
};

describe('the environment of a service', () => {
  it('holds its own accounts', () =>
    expect(
      serviceEnvironment(shell, {
        KAFKA_BROKERS: 'kafka:9092',
        MAYFLY_AUDITOR_DATABASE_URL: 'postgres://auditor',
      }),
    ).toEqual({
      PATH: 'bin',
      KAFKA_BROKERS: 'kafka:9092',
      KAFKA_SASL_USERNAME: 'mayfly',
      MAYFLY_ENV: 'development',
      MAYFLY_AUDITOR_DATABASE_URL: 'postgres://auditor',
    }));
  it.each(['DATABASE_URL', 'MAYFLY_BROKER_DATABASE_URL', 'MAYFLY_TARGET_PASSWORD'])(
    'does not hold %s of the shell',
    (name) => expect(serviceEnvironment(shell, {})).not.toHaveProperty(name),
  );
  it.each([
    ['where the bus is in PostgreSQL', { MAYFLY_BUS_DATABASE_URL: 'postgres://bus' }],
    ['for the signer, which is on no bus', { MAYFLY_SIGNER_DATABASE_URL: 'postgres://signer' }],
  ])('names no Kafka %s', (_where, own) =>
    expect(serviceEnvironment(shell, own)).not.toHaveProperty('KAFKA_SASL_USERNAME'),
  );
  it('is not steered by variables of PostgreSQL clients', () =>
    expect(serviceEnvironment(shell, {})).not.toHaveProperty('PGOPTIONS'));
});
