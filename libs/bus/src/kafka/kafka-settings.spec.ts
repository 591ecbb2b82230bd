import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '#telemetry/log.js';
import { kafkajs } from './client.js';
import { clientConfig, consumerConfig, producerConfig, type KafkaSettings } from './kafka-settings.js';

const lines: string[] = [];
const log = createLog('test', { level: 'debug', write: (line) => void lines.push(line) });
const plain: KafkaSettings = { brokers: ['127.0.0.1:9092'], clientId: 'broker' };

/** `openssl req -x509 -new -key key.pem -subj /CN=test -days 36500`, of a P-256 key that is used nowhere else. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBdDCCARugAwIBAgIUEiopzJ0XnnsTlfBIc39dpuvyG2YwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjUwMTAzMzVaGA8yMTI2MTEwMTAxMDMz
NVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBD2
CZtXdp5/0Cg3PMoLvPTG0/Fu/6ObX9nEz9XSRBxSd7w+1+uV9cAHJbm3UTollHWF
3sQiKA35SDPAYSfMxxyjUzBRMB0GA1UdDgQWBBSIFI9oW81aX0OSlMx/9AY5q09h
qDAfBgNVHSMEGDAWgBSIFI9oW81aX0OSlMx/9AY5q09hqDAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0cAMEQCIBQWWjvtQFDXJja7/NmrP694f9Ac+XB4aHlZ
E9v7cEszAiA85hXPwl7BVcOtgdFNPCj/PE+N95GusXGYgbM2Vm519g==
-----END CERTIFICATE-----`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgvXdkFQkOmtPB6rud
wLu9ZV7PIx1MRnGhyz+mJp7g4gKhRANCAAQQ9gmbV3aef9AoNzzKC7z0xtPxbv+j
m1/ZxM/V0kQcUne8PtfrlfXAByW5t1E6JZR1hd7EIigN+UgzwGEnzMcc
-----END PRIVATE KEY-----`;

describe('the settings of the Kafka client', () => {
  let folder: string;
  const pem = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kafka-settings-'));
    const files = { ca: CERTIFICATE, cert: CERTIFICATE, key: KEY, garbage: 'no PEM' };
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(pem(name), text)));
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
      ca: [CERTIFICATE],
      cert: CERTIFICATE,
      key: KEY,
    });
  });

  it('name a PEM file that is missing, so that an operator can put it there', async () => {
    const config = clientConfig({ ...plain, tls: { enabled: true, ca: pem('nowhere') } }, 'writer', log);

    await expect(config).rejects.toMatchObject({
      code: 'ERR_BUS_TLS_FILE',
      message: 'a file of bus.kafka.tls cannot be read',
      fields: { key: 'bus.kafka.tls.ca', file: pem('nowhere') },
    });
  });

  it.each([
    ['an authority', { ca: 'garbage' }],
    ['a certificate', { cert: 'garbage', key: 'key' }],
    ['a key', { cert: 'cert', key: 'garbage' }],
  ])('refuse a file that is no PEM of %s, and do not quote it', async (_what, names) => {
    const files = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, pem(name)]));
    const error: unknown = await clientConfig(
      { ...plain, tls: { enabled: true, ...files } },
      'writer',
      log,
    ).catch((thrown: unknown) => thrown);

    expect(error).toMatchObject({
      code: 'ERR_BUS_TLS_FILE',
      message: 'the files of bus.kafka.tls hold no PEM that belongs together',
    });
    expect(error).not.toHaveProperty('cause');
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

    expect(requestTimeout).toBeGreaterThan(consumerConfig({ group: 'g' }).rebalanceTimeout ?? Infinity);
  });

  it('keep the order of records, and place them as the Java client does', () => {
    expect(producerConfig()).toMatchObject({ idempotent: true, maxInFlightRequests: 1 });
    expect(producerConfig().createPartitioner).toBe(kafkajs.Partitioners.DefaultPartitioner);
  });

  it('never let a consumer that has ended begin again by itself', async () => {
    const lost = Object.assign(new Error('no broker'), { retriable: true });

    await expect(consumerConfig({ group: 'g' }).retry?.restartOnFailure?.(lost)).resolves.toBe(false);
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
