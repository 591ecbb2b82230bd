import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import type { BusRecord } from '#bus/bus.js';
import type { EventHead } from '#events/envelope.js';
import {
  AGENT_ED25519_KEY,
  AGENT_KEY,
  CE_ID,
  OTHER_KEY,
  TASK_ID,
  keyObject,
  publicOf,
  token,
} from '../test/fixtures.js';
import { RecordSigner, loadPeerKeys, verifyRecord, verifyRecordElsewhere, type PeerKeys } from './records.js';

const TOPIC = 'mayfly.credential.events.v1';
const STORE = '7f3a9c.42';
const VALUE = Buffer.from('{"taskId":"x"}');
const head: EventHead = {
  id: CE_ID,
  source: '//mayfly/broker',
  type: 'dev.mayfly.call.decided.v1',
  subject: TASK_ID,
  time: '2026-11-24T12:00:00.000Z',
  contentType: 'application/json',
};
let folder: string;
let broker: RecordSigner;
let revoker: RecordSigner;
let peers: PeerKeys;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-records-'));
  await writeFile(file('broker.jwk'), JSON.stringify(AGENT_KEY));
  await writeFile(file('revoker.jwk'), JSON.stringify({ ...OTHER_KEY, kid: 'what-the-file-says' }));
  broker = await RecordSigner.fromFile(file('broker.jwk'), 'broker');
  revoker = await RecordSigner.fromFile(file('revoker.jwk'), 'revoker');
  await writeFile(file('broker.jwks.json'), JSON.stringify(broker.jwks));
  await writeFile(file('revoker.jwks.json'), JSON.stringify(revoker.jwks));
  peers = await loadPeerKeys({
    broker: { jwks: file('broker.jwks.json') },
    revoker: { jwks: file('revoker.jwks.json') },
  });
});
afterAll(() => rm(folder, { recursive: true }));

/** Here and by another thread, which must agree. */
async function verified(of: BusRecord): Promise<ReturnType<typeof verifyRecord>> {
  const here = verifyRecord(of, peers);
  expect(await verifyRecordElsewhere(of, peers)).toEqual(here);
  return here;
}

function record(change: Partial<BusRecord> = {}, headers: BusRecord['headers'] = {}): BusRecord {
  return {
    topic: TOPIC,
    partition: 0,
    offset: 0n,
    appendedAtMs: 0,
    key: Buffer.from(TASK_ID),
    value: VALUE,
    ...change,
    headers: { ...broker.sign({ topic: TOPIC, key: TASK_ID, head, value: VALUE }, STORE), ...headers },
  };
}
const signatureBy = (header: object, key = AGENT_KEY, payload?: string) => {
  const [, honest = ''] = String(record().headers['mayfly-sig']).split('.');
  return token(header, payload ?? Buffer.from(honest, 'base64url').toString(), keyObject(key));
};
const kidOf = (signer: RecordSigner) => signer.jwks.keys[0]?.kid;

describe('a signed record', () => {
  it('says which service wrote it, and the count of its store', async () => {
    expect(await verified(record())).toEqual({
      ok: true,
      service: 'broker',
      head,
      store: { epoch: '7f3a9c', n: 42n },
    });
  });

  it('verifies with jose and the published keys, over the JCS of what it says', async () => {
    const { payload, protectedHeader } = await compactVerify(
      String(record().headers['mayfly-sig']),
      createLocalJWKSet(broker.jwks as unknown as JSONWebKeySet),
      { algorithms: ['ES256'] },
    );
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'mayfly-record+jwt', kid: kidOf(broker) });
    const valueSha256 = createHash('sha256').update(VALUE).digest('hex');
    expect(Buffer.from(payload).toString()).toBe(
      `{"ce":{"id":"${CE_ID}","source":"//mayfly/broker","subject":"${TASK_ID}","time":"2026-11-24T12:00:00.000Z","type":"dev.mayfly.call.decided.v1"},` +
        `"key":"${TASK_ID}","store":"${STORE}","topic":"${TOPIC}","value_sha256":"${valueSha256}"}`,
    );
  });

  it('may be a tombstone, which is signed as the empty value', () => {
    const headers = broker.sign({ topic: TOPIC, key: TASK_ID, head, value: null }, STORE);
    expect(verifyRecord(record({ value: null }, headers), peers).ok).toBe(true);
    expect(verifyRecord(record({}, headers), peers).ok).toBe(false);
  });

  it('carries a traceparent that no signature covers', () => {
    expect(verifyRecord(record({}, { traceparent: 'anything' }), peers)).toMatchObject({ ok: true });
  });
});

describe('a record is refused as unsigned', () => {
  it.each(['mayfly-sig', 'mayfly-store'])('without %s', (name) => {
    expect(verifyRecord(record({}, { [name]: undefined }), peers)).toMatchObject({
      refusal: { code: 'ERR_RECORD_UNSIGNED' },
    });
  });
});

describe('a record is refused as forged', () => {
  it.each<[string, Partial<BusRecord>, BusRecord['headers']]>([
    ['another topic', { topic: 'mayfly.revocations.v1' }, {}],
    ['another key', { key: Buffer.from('task') }, {}],
    ['no key', { key: null }, {}],
    ['another value', { value: Buffer.from('{"taskId":"y"}') }, {}],
    ['no value', { value: null }, {}],
    ['another id', {}, { ce_id: '01936f2e-8000-7000-9000-00000000000f' }],
    ['another type', {}, { ce_type: 'dev.mayfly.lease.issued.v1' }],
    ['another subject', {}, { ce_subject: 'x' }],
    ['another time', {}, { ce_time: '2026-11-24T12:00:00.001Z' }],
    ['another source', {}, { ce_source: '//mayfly/revoker' }],
    ['another count', {}, { 'mayfly-store': '7f3a9c.43' }],
    ['a count with leading zeros', {}, { 'mayfly-store': '7f3a9c.042' }],
    ['a count without an epoch', {}, { 'mayfly-store': '42' }],
    ['a signature that is no token', {}, { 'mayfly-sig': 'a.b.c' }],
  ])('with %s', async (_what, change, headers) => {
    expect(await verified(record(change, headers))).toMatchObject({
      ok: false,
      refusal: { code: 'ERR_RECORD_FORGED' },
    });
  });

  it.each<[string, () => string]>([
    ['by nobody we know', () => signatureBy({ alg: 'ES256', typ: 'mayfly-record+jwt', kid: 'nobody' })],
    ['without a key id', () => signatureBy({ alg: 'ES256', typ: 'mayfly-record+jwt' })],
    [
      'by a stranger under a service\u2019s key id',
      () => signatureBy({ alg: 'ES256', typ: 'mayfly-record+jwt', kid: kidOf(broker) }, OTHER_KEY),
    ],
    [
      'by another service in the broker\u2019s name',
      () => signatureBy({ alg: 'ES256', typ: 'mayfly-record+jwt', kid: kidOf(revoker) }, OTHER_KEY),
    ],
    ['of another typ', () => signatureBy({ alg: 'ES256', typ: 'mayfly-proof+jwt', kid: kidOf(broker) })],
    ['with alg none', () => signatureBy({ alg: 'none', typ: 'mayfly-record+jwt', kid: kidOf(broker) })],
    ['with alg HS256', () => signatureBy({ alg: 'HS256', typ: 'mayfly-record+jwt', kid: kidOf(broker) })],
    [
      'over the same object in another order',
      () =>
        signatureBy(
          { alg: 'ES256', typ: 'mayfly-record+jwt', kid: kidOf(broker) },
          AGENT_KEY,
          '{"topic":"x"}',
        ),
    ],
  ])('when it is signed %s', async (_what, signature) => {
    expect(await verified(record({}, { 'mayfly-sig': signature() }))).toMatchObject({
      ok: false,
      refusal: { code: 'ERR_RECORD_FORGED' },
    });
  });

  it('after any change of one character of its signature', async () => {
    const honest = String(record().headers['mayfly-sig']);
    for (let at = 0; at < honest.length; at += 1) {
      const bent = honest.slice(0, at) + (honest[at] === 'A' ? 'B' : 'A') + honest.slice(at + 1);
      expect((await verified(record({}, { 'mayfly-sig': bent }))).ok).toBe(false);
    }
  });
});

it('a record of ours larger than Kafka carries is refused before it is hashed', async () => {
  expect(await verified(record({ value: Buffer.alloc(1_048_577) }))).toMatchObject({
    refusal: { code: 'ERR_RECORD_TOO_LARGE' },
  });
});

it('a service signs nothing in the name of another, and no malformed count', () => {
  expect(() => revoker.sign({ topic: TOPIC, key: TASK_ID, head, value: VALUE }, STORE)).toThrow(TypeError);
  expect(() => broker.sign({ topic: TOPIC, key: TASK_ID, head, value: VALUE }, 'store')).toThrow(TypeError);
});

describe('keys from files', () => {
  const invalid = { code: 'ERR_IDENTITY_KEY_INVALID' };
  it.each<[string, unknown]>([
    ['a public key', publicOf(AGENT_KEY)],
    ['a key of another kind', AGENT_ED25519_KEY],
    ['a private half with another\u2019s public half', { ...AGENT_KEY, x: OTHER_KEY.x, y: OTHER_KEY.y }],
    ['a number', 7],
  ])('%s does not sign records', async (_what, value) => {
    await writeFile(file('bad.jwk'), JSON.stringify(value));
    await expect(RecordSigner.fromFile(file('bad.jwk'), 'broker')).rejects.toMatchObject(invalid);
  });

  it('a broken file is an error that does not quote it', async () => {
    await writeFile(file('bad.jwk'), '{"d":"very-secret');
    const error: unknown = await RecordSigner.fromFile(file('bad.jwk'), 'broker').catch((e: unknown) => e);
    expect(error).toMatchObject(invalid);
    expect(`${String(error)} ${String((error as Error).cause)}`).not.toContain('very-secret');
  });

  it('a missing file is an error that names it', async () => {
    await expect(loadPeerKeys({ broker: { jwks: file('gone.json') } })).rejects.toMatchObject({
      code: 'ERR_IDENTITY_FILE_UNREADABLE',
      fields: { file: file('gone.json') },
    });
  });

  it.each<[string, unknown]>([
    ['no keys', { keys: [] }],
    ['a private key', { keys: [{ ...AGENT_KEY, kid: 'a' }] }],
    ['a key without a key id', { keys: [publicOf(AGENT_KEY)] }],
    ['a key of another kind', { keys: [{ ...publicOf(AGENT_ED25519_KEY), kid: 'a' }] }],
    ['no set', []],
  ])('a JWK Set with %s gives no peer', async (_what, value) => {
    await writeFile(file('bad.json'), JSON.stringify(value));
    await expect(loadPeerKeys({ auditor: { jwks: file('bad.json') } })).rejects.toMatchObject(invalid);
  });

  it('two services cannot share a key', async () => {
    const jwks = file('broker.jwks.json');
    await expect(loadPeerKeys({ broker: { jwks }, auditor: { jwks } })).rejects.toMatchObject(invalid);
  });
});
