import { createHash } from 'node:crypto';
import type { BusRecord } from '#bus/bus.js';
import { DELIVERY, REVOCATIONS } from '#events/topics.js';
import { hasher } from '#merkle/node/hasher.js';
import {
  ANALYST,
  CALL,
  common,
  LEASE,
  OPERATOR,
  ORCHESTRATOR,
  started,
  TASK,
  World,
} from '../../spec/world.js';
import { envelopeOf, openCommitments } from '../log/entries.js';
import { MAX_LEAF_BYTES } from './entry.js';

let world: World;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());

const enter = (record: BusRecord) => world.entryOf(record);
const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest();

/** A value, and what somebody who knows it could recognise: its plain hash in every form. */
function tracesOf(value: string): string[] {
  const hash = sha256(value);
  return [value, hash.toString('hex'), hash.toString('base64'), hash.toString('base64url')];
}
function expectNoTrace(leaf: Buffer, values: string[]) {
  for (const trace of values.flatMap(tracesOf)) expect(leaf.toString('utf8')).not.toContain(trace);
}

describe('an admitted event', () => {
  it('becomes a leaf with its facts, and the hash of those very bytes', async () => {
    const { leaf, leafHash, type, taskId, admitted } = await enter(
      await world.said('task.started', started, ORCHESTRATOR),
    );

    expect(envelopeOf(leaf)).toMatchObject({
      v: 1,
      topic: 'mayfly.task.events.v1',
      partition: 0,
      authenticated: true,
      sender: ORCHESTRATOR,
      type: 'task.started',
      task: TASK,
      event: {
        agents: [{ id: ANALYST }],
        declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
        deadline: started.deadline,
        risk: 'low',
      },
    });
    expect(Buffer.from(leafHash)).toEqual(Buffer.from(hasher.leaf(leaf)));
    expect({ type, taskId, admitted }).toEqual({ type: 'task.started', taskId: TASK, admitted: true });
  });

  it('leaves no personal value in its leaf, nor a plain hash of one', async () => {
    const record = await world.said('task.started', started, ORCHESTRATOR);
    const { leaf } = await enter(record);

    expectNoTrace(leaf, [
      started.purpose,
      started.principal.id,
      'maria',
      'Quixote',
      started.objectiveSha256,
      JSON.stringify(started.labels),
      (record.value as Buffer).toString(),
      (record.headers['mayfly-proof'] as Buffer).toString(),
    ]);
  });

  it('has the same pseudonym for the same person, and other commitments for the same purpose', async () => {
    const [one, two] = [
      await enter(await world.said('task.started', started, ORCHESTRATOR)),
      await enter(await world.said('task.started', started, ORCHESTRATOR)),
    ].map(({ leaf }) => envelopeOf(leaf));

    expect(one?.event).toEqual(two?.event);
    expect(one?.event).toMatchObject({
      principal: { id: expect.stringMatching(/^person:[\w-]{43}$/) as string },
    });
    expect(one?.commitments?.['/purpose']).not.toBe(two?.commitments?.['/purpose']);
  });

  it('can be opened with its payload, and a payload changed afterwards opens nothing', async () => {
    const { leaf, payload, entryKey } = await enter(await world.said('task.started', started, ORCHESTRATOR));
    const kept = { seq: 0n, entryKey, value: payload.value };
    const forged = Buffer.from(JSON.stringify({ ...started, purpose: 'Something else' }));

    expect(openCommitments(envelopeOf(leaf), kept).get('/purpose')).toBe(started.purpose);
    expect(openCommitments(envelopeOf(leaf), { ...kept, value: forged }).get('/purpose')).toBeUndefined();
    expect(openCommitments(envelopeOf(leaf), { ...kept, entryKey: Buffer.alloc(32) }).size).toBe(0);
  });

  it('keeps no token in its payload, only the hash of it', async () => {
    const record = await world.said('task.started', started, ORCHESTRATOR);
    const svid = (record.headers['mayfly-svid'] as Buffer).toString();
    const headers = (await enter(record)).payload.headers?.toString() ?? '';

    expect(headers).not.toContain(Buffer.from(svid).toString('base64'));
    expect(JSON.parse(headers)).toMatchObject({ 'mayfly-svid': [{ sha256: sha256(svid).toString('hex') }] });
  });
});

describe('an event of ours', () => {
  const rejected = {
    ...common,
    code: 'ERR_DATA_INVALID',
    reason: 'purpose of Wanda Quixote',
    fields: { path: 'Wanda Quixote' },
    record: {
      topic: 'mayfly.task.events.v1',
      partition: 3,
      offset: '17',
      valueSha256: sha256('Wanda Quixote').toString('hex'),
    },
    sender: ANALYST,
  };

  it('names the service that signed it', async () => {
    const { leaf } = await enter(world.wrote('broker', 'event.rejected', rejected));

    expect(envelopeOf(leaf)).toMatchObject({
      service: 'broker',
      authenticated: true,
      type: 'event.rejected',
      event: { code: 'ERR_DATA_INVALID', sender: ANALYST, record: { partition: 3, offset: '17' } },
    });
    expectNoTrace(leaf, ['Wanda Quixote', rejected.reason]);
  });

  it('calls an operator by a pseudonym, and an agent by its id', async () => {
    const { leaf } = await enter(
      world.wrote('auditor', 'access.read', {
        ...common,
        actor: OPERATOR,
        reader: OPERATOR,
        role: 'auditor',
        route: 'GET:/v1/entries/:seq',
        subject: '4',
      }),
    );

    expectNoTrace(leaf, [OPERATOR]);
    expect(envelopeOf(leaf).event).toMatchObject({
      reader: world.keys.pseudonyms.person(OPERATOR),
      route: 'GET:/v1/entries/:seq',
      subject: '4',
    });
  });

  it('seals what does not look like an identifier, wherever it stands', async () => {
    const { leaf } = await enter(
      world.wrote('broker', 'call.decided', {
        ...common,
        tool: 'ask Wanda Quixote',
        dataset: 'maria@corp.example',
        checks: [{ check: 'tool_policy', ok: false, reason: 'not for Wanda Quixote' }, 'Wanda'],
        'Wanda Quixote': 'unknown member',
      }),
    );

    expectNoTrace(leaf, ['Wanda Quixote', 'Wanda', 'maria@corp.example']);
    expect(Object.keys(envelopeOf(leaf).commitments ?? {})).toEqual(
      expect.arrayContaining(['/tool', '/dataset', '/checks/0/reason', '/checks/1', 'value', 'headers']),
    );
  });

  it('is left to the commitment over its bytes when it is too large for a leaf', async () => {
    const rights = Array.from({ length: 4_000 }, (_, i) => `right_${i}_${'x'.repeat(20)}`);
    const { leaf } = await enter(world.wrote('broker', 'lease.intended', { ...common, rights }));

    expect(leaf.length).toBeLessThanOrEqual(MAX_LEAF_BYTES);
    expect(envelopeOf(leaf)).toMatchObject({ oversize: true, type: 'lease.intended', task: TASK });
    expect(envelopeOf(leaf).event).toBeUndefined();
  });
});

describe('a sealed credential', () => {
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', kid: 'thumb', leaseId: LEASE, taskId: TASK, callId: CALL };
  const jwe = [JSON.stringify(header), '', 'iv', 'ciphertext', 'tag']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');

  it('is recorded by its hash and its header, and kept nowhere', async () => {
    const entry = await enter(
      world.wrote('broker', 'credential.delivered', Buffer.from(jwe), { topic: DELIVERY }),
    );

    expect(entry.payload.value).toBeNull();
    expect(entry.leaf.toString()).not.toContain(Buffer.from('ciphertext').toString('base64url'));
    expect(envelopeOf(entry.leaf)).toMatchObject({
      type: 'credential.delivered',
      task: TASK,
      valueSha256: sha256(jwe).toString('hex'),
      event: { leaseId: LEASE, callId: CALL, kid: 'thumb' },
    });
  });

  it('is not kept either when nobody is proved to have written it', async () => {
    const record = world.wrote('broker', 'credential.delivered', Buffer.from(jwe), { topic: DELIVERY });
    delete record.headers['mayfly-sig'];
    const entry = await enter(record);

    expect(entry.payload.value).toBeNull();
    expect(envelopeOf(entry.leaf)).toMatchObject({ authenticated: false, code: 'ERR_RECORD_UNSIGNED' });
  });
});

describe('a record that is not admitted', () => {
  it('says so with the code, and gives its claims no name', async () => {
    const record = await world.said('task.started', started, ORCHESTRATOR);
    record.headers['mayfly-proof'] = Buffer.from('e30.e30.e30');
    const entry = await enter(record);

    expect(envelopeOf(entry.leaf)).toMatchObject({
      authenticated: false,
      code: 'ERR_PROOF_INVALID',
      claimed: { type: 'task.started', task: TASK },
    });
    expect({ type: entry.type, taskId: entry.taskId, admitted: entry.admitted }).toEqual({
      type: null,
      taskId: null,
      admitted: false,
    });
    expectNoTrace(entry.leaf, [started.purpose, started.principal.id, ORCHESTRATOR]);
  });

  it.each([
    ['no header at all', { headers: {} }],
    ['bytes that are no text', { value: Buffer.from([0xff, 0xfe, 0x00]), key: Buffer.from([0xff]) }],
    ['neither key nor value', { key: null, value: null }],
    ['a header given twice', { headers: { ce_id: [Buffer.from('a'), Buffer.from('b')] } }],
    ['headers that have no value', { headers: { ce_id: null, ce_type: null } as never }],
    [
      'headers that have no value twice',
      { headers: { ce_id: [null, null], 'mayfly-svid': [null] } as never },
    ],
    ['a time of no calendar', { appendedAtMs: Number.MAX_SAFE_INTEGER }],
    ['a lone surrogate', { value: Buffer.from('{"taskId":"\\ud800"}') }],
  ])('becomes a leaf with %s', async (_name, change: Partial<BusRecord>) => {
    const record = await world.said('task.started', started, ORCHESTRATOR);
    for (const topic of [record.topic, DELIVERY, REVOCATIONS, 'mayfly.credential.events.v1']) {
      const entry = await enter({ ...record, topic, headers: {}, ...change });
      expect(envelopeOf(entry.leaf)).toMatchObject({ v: 1, authenticated: false });
    }
  });

  it('does not fill the disk with its bytes', async () => {
    const record = world.wrote('broker', 'task.ended', Buffer.alloc(100_000, 'x'));
    expect((await enter(record)).payload.value).toHaveLength(100_000);
    delete record.headers['mayfly-sig'];
    expect((await enter(record)).payload.value).toBeNull();
  });
});
