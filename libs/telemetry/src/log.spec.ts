import { createLog, type LogOptions } from './log.js';
import { NestLog } from './nest-log.js';

function capture(options: LogOptions = {}) {
  const lines: string[] = [];
  const log = createLog('broker', { ...options, write: (line) => void lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> };
}

describe('the log', () => {
  it('writes one JSON object a line with level, time and service', () => {
    const { log, lines, last } = capture();

    log.warn({ topic: 't', partition: 3 }, 'position not stored');

    expect(lines).toHaveLength(1);
    expect(lines[0]?.endsWith('\n')).toBe(true);
    expect(last()).toMatchObject({ level: 'warn', service: 'broker', topic: 't', partition: 3 });
    expect(last()).toMatchObject({ msg: 'position not stored' });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('writes nothing below its level', () => {
    const { log, lines } = capture({ level: 'warn' });

    log.info('started');

    expect(lines).toEqual([]);
  });

  it('shows code, fields and causes of an error, and leaves out what a driver put beside them', () => {
    const { log, last } = capture();
    const driver = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (mail)=(a@b.c)' });
    const error = Object.assign(new Error('not stored', { cause: driver }), {
      code: 'ERR_STORE',
      fields: { n: 1 },
    });

    log.error({ err: error }, 'append failed');

    expect(last()['err']).toMatchObject({
      type: 'Error',
      code: 'ERR_STORE',
      message: 'not stored',
      fields: { n: 1 },
      cause: { code: '23505', message: 'duplicate key' },
    });
    expect(JSON.stringify(last())).not.toContain('a@b.c');
  });

  it.each<[string, Record<string, unknown>]>([
    ['a password at any depth', { a: { b: { c: { password: 'hunter2' } } } }],
    ['a password with quotes', { password: '"hunter2' }],
    ['a bearer header', { headers: { Authorization: 'Bearer hunter2' } }],
    ['the private member of a JWK', { jwk: { kty: 'EC', d: 'hunter2' } }],
    ['JSON inside a string', { body: '{"access_token":"hunter2"}' }],
    ['the password of a URL', { url: 'postgres://mayfly:hunter2@127.0.0.1:5432/mayfly' }],
    ['a private key in PEM', { pem: '-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n' }],
    ['a compact token', { note: 'got eyJhbGciOiJFUzI1NiJ9.hunter2.sig from a client' }],
    ['a compact JWE', { note: 'eyJhbGciOiJFQ0RILUVTIn0..iv.hunter2.tag' }],
    ['the message of an error', { err: new Error('cannot reach postgres://m:hunter2@db/x') }],
  ])('takes out %s, and stays JSON', (_what, fields) => {
    const { log, lines, last } = capture();

    log.info(fields, 'seen');

    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('[redacted]');
    expect(last()).toMatchObject({ msg: 'seen' });
  });

  it('leaves harmless fields alone', () => {
    const { log, last } = capture();

    log.info({ tokens: 3, secretName: 'db', kind: 'postgres', url: 'http://127.0.0.1:7070/x' }, 'seen');

    expect(last()).toMatchObject({
      tokens: 3,
      secretName: 'db',
      kind: 'postgres',
      url: 'http://127.0.0.1:7070/x',
    });
  });

  it('takes lines of Nest, with their context', () => {
    const { log, last } = capture();

    new NestLog(log).error('cannot start', 'Error: at x', 'NestFactory');

    expect(last()).toMatchObject({
      level: 'error',
      text: 'cannot start',
      context: 'NestFactory',
      stack: 'Error: at x',
    });
  });
});
