import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '#telemetry/log.js';
import { kafkajs } from './client.js';
import { clientConfig, consumerConfig, producerConfig, type KafkaSettings } from './kafka-settings.js';

const lines: string[] = [];
const log = createLog('test', { level: 'debug', write: (line) => void lines.push(line) });
const plain: KafkaSettings = { brokers: ['127.0.0.1:9092'], clientId: 'broker' };

describe('the settings of the Kafka client', () => {
  let folder: string;
  const pem = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kafka-settings-'));
    await Promise.all(['ca', 'cert', 'key'].map((name) => writeFile(pem(name), `PEM of ${name}`)));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('leave TLS and login out where there are none', async () => {
    const config = await clientConfig(plain, 'writer', log);

    expect(config).not.toHaveProperty('ssl');
    expect(config).not.toHaveProperty('sasl');
    expect(config).toMatchObject({ brokers: ['127.0.0.1:9092'], clientId: 'broker' });
  });

  it('leave TLS out when it is not enabled', async () => {
    expect(
      await clientConfig({ ...plain, tls: { enabled: false, ca: pem('ca') } }, 'writer', log),
    ).not.toHaveProperty('ssl');
  });

  it('trust the roots of Node when TLS names no file', async () => {
    expect(await clientConfig({ ...plain, tls: { enabled: true } }, 'writer', log)).toMatchObject({
      ssl: {},
    });
  });

  it('read the PEM files of mutual TLS', async () => {
    const tls = { enabled: true, ca: pem('ca'), cert: pem('cert'), key: pem('key') };

    expect((await clientConfig({ ...plain, tls }, 'writer', log)).ssl).toEqual({
      ca: ['PEM of ca'],
      cert: 'PEM of cert',
      key: 'PEM of key',
    });
  });

  it.each(['plain', 'scram-sha-256', 'scram-sha-512'] as const)(
    'pass a %s login through',
    async (mechanism) => {
      const sasl = { mechanism, username: 'mayfly', password: 'p' };

      expect((await clientConfig({ ...plain, sasl }, 'writer', log)).sasl).toEqual(sasl);
    },
  );

  it('wait for an answer longer than a group waits for its members', async () => {
    const { requestTimeout } = await clientConfig(plain, 'writer', log);

    expect(requestTimeout).toBeGreaterThan(consumerConfig('g').rebalanceTimeout ?? Infinity);
  });

  it('keep the order of records, and place them as the Java client does', () => {
    expect(producerConfig()).toMatchObject({ idempotent: true, maxInFlightRequests: 1 });
    expect(producerConfig().createPartitioner).toBe(kafkajs.Partitioners.DefaultPartitioner);
  });

  it('never let the client start itself again after a crash', async () => {
    await expect(consumerConfig('g').retry?.restartOnFailure?.(new Error('crash'))).resolves.toBe(false);
  });
});

describe('a log line of the client', () => {
  const { ERROR, INFO, WARN } = kafkajs.logLevel;

  async function said(level: number, message: string) {
    lines.length = 0;
    const write = (await clientConfig(plain, 'writer', log)).logCreator?.(INFO);
    write?.({
      namespace: 'Consumer',
      level,
      label: '',
      log: { timestamp: '', logger: 'kafkajs', message, groupId: 'g' },
    });
    return JSON.parse(lines[0] ?? '') as unknown;
  }

  it('of level ERROR is a warning: the client goes on', async () => {
    expect(await said(ERROR, 'Crash')).toMatchObject({
      level: 'warn',
      msg: 'kafka client',
      namespace: 'Consumer',
      text: 'Crash',
      groupId: 'g',
    });
  });

  it('of level INFO is for debugging', async () => {
    expect(await said(INFO, 'Starting')).toMatchObject({ level: 'debug', text: 'Starting' });
  });

  it('about the retries of the producer is for debugging, because a failed producer is replaced', async () => {
    const text = 'Limiting retries for the idempotent producer may invalidate EoS guarantees';

    expect(await said(WARN, text)).toMatchObject({ level: 'debug', text });
    expect(await said(WARN, 'The group is rebalancing, re-joining')).toMatchObject({ level: 'warn' });
  });
});
