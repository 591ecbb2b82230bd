/** Records that are none: each a recorded refusal with its code, and no stall of the task behind it in the batch. */
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ORCHESTRATOR, started, STRANGER, type Voices } from '../test/voices.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

const header = (record: BusRecord, name: string) => record.headers[name];

type Make = (voices: Voices, taskId: string) => Promise<BusRecord>;
const changed =
  (change: (record: BusRecord) => Partial<BusRecord>): Make =>
  async (voices, taskId) => {
    const record = await voices.starts(taskId);
    return { ...record, ...change(record) };
  };
const withHeaders = (headers: BusRecord['headers']) =>
  changed((record) => ({ headers: { ...record.headers, ...headers } }));
const withKey = (key: Buffer | null) => changed(() => ({ key }));
const startedBy =
  (how: Parameters<Voices['newly']>[1]): Make =>
  async (voices, taskId) =>
    voices.says(await voices.newly(ORCHESTRATOR, how), 'task.started', started(taskId));
/** With the SVID of one key, and a proof by another: the second key may or may not say that it is the first. */
const stolen =
  (claimed: 'own' | 'stolen'): Make =>
  async (voices, taskId) => {
    const owner = await voices.as(ORCHESTRATOR);
    const thief = await voices.newly(STRANGER);
    const signJws = thief.key.signJws.bind(thief.key);
    const key = Object.assign(Object.create(thief.key) as typeof thief.key, {
      publicJwk: (claimed === 'own' ? thief : owner).key.publicJwk,
      signJws,
    });
    return voices.says({ ...owner, key }, 'task.started', started(taskId));
  };

const REJECTED: [what: string, code: RefusalCode, make: Make][] = [
  ['malformed JSON', 'ERR_JSON_MALFORMED', changed(() => ({ value: Buffer.from('{"taskId":') }))],
  [
    'JSON that is not UTF-8',
    'ERR_JSON_MALFORMED',
    changed(() => ({ value: Buffer.from([0x22, 0xff, 0x22]) })),
  ],
  ['no value', 'ERR_JSON_MALFORMED', changed(() => ({ value: null }))],
  [
    'JSON a thousand times nested',
    'ERR_JSON_MALFORMED',
    changed(() => ({ value: Buffer.from('['.repeat(1_000)) })),
  ],
  ['an unknown type', 'ERR_TYPE_UNKNOWN', withHeaders({ ce_type: wireType('task.exploded') })],
  [
    'a type of ours that is not inbound',
    'ERR_TYPE_UNKNOWN',
    withHeaders({ ce_type: wireType('lease.issued') }),
  ],
  ['a missing header', 'ERR_HEADER_MISSING', withHeaders({ ce_id: undefined })],
  ['a missing proof', 'ERR_HEADER_MISSING', withHeaders({ 'mayfly-proof': undefined })],
  ['no headers at all', 'ERR_HEADER_MISSING', changed(() => ({ headers: {} }))],
  [
    'a doubled header',
    'ERR_HEADER_DOUBLED',
    changed((r) => ({
      headers: { ...r.headers, ce_source: [Buffer.from(ORCHESTRATOR), Buffer.from(STRANGER)] },
    })),
  ],
  ['an expired SVID', 'ERR_SVID_EXPIRED', startedBy({ ttlS: 60, nowMs: Date.now() - 3_600_000 })],
  ['an audience that names no key', 'ERR_SVID_NOT_BOUND', startedBy({ audience: 'mayfly' })],
  ['the audience of somebody else', 'ERR_SVID_NOT_BOUND', startedBy({ audience: 'kubernetes' })],
  ["an SVID with another agent's key", 'ERR_SVID_NOT_BOUND', stolen('own')],
  ["another agent's signature under the right key", 'ERR_PROOF_INVALID', stolen('stolen')],
  [
    'a value that the proof is not of',
    'ERR_PROOF_MISMATCH',
    changed(({ value }) => ({
      value: Buffer.from((value ?? '').toString().replace('October', 'November')),
    })),
  ],
  ['a source that is not the subject', 'ERR_SOURCE_MISMATCH', withHeaders({ ce_source: STRANGER })],
  ['a key that is another task', 'ERR_KEY_MISMATCH', withKey(Buffer.from(uuidv7()))],
  ['no key', 'ERR_KEY_MISMATCH', withKey(null)],
  ['a key of NUL', 'ERR_KEY_MISMATCH', withKey(Buffer.from([0]))],
  ['a key that is not UTF-8', 'ERR_KEY_MISMATCH', withKey(Buffer.from([0xc3, 0x28, 0x00, 0xff]))],
  ['an id with NUL', 'ERR_HEADER_INVALID', withHeaders({ ce_id: Buffer.from('\0\0') })],
  ['an id that is not UTF-8', 'ERR_HEADER_INVALID', withHeaders({ ce_id: Buffer.from([0xff, 0xfe]) })],
  ['a type with NUL', 'ERR_TYPE_UNKNOWN', withHeaders({ ce_type: 'dev.mayfly.task\0.v1' })],
  [
    'headers of NUL and bytes beside a missing one',
    'ERR_HEADER_MISSING',
    withHeaders({
      ce_id: undefined,
      'x-\0': Buffer.from([0, 0xff]),
      'x-\ud800': 'lone \udfff',
      ce_subject: Buffer.from('\0'),
    }),
  ],
  ['a text with NUL', 'ERR_DATA_INVALID', (voices, taskId) => voices.starts(taskId, { purpose: 'a\0b' })],
  ['a value of 900 kB', 'ERR_RECORD_TOO_LARGE', changed(() => ({ value: Buffer.alloc(900_000, 0x20) }))],
  ['headers of 40 kB', 'ERR_RECORD_TOO_LARGE', withHeaders({ 'x-large': Buffer.alloc(40_000, 0x61) })],
  ['a start by no orchestrator', 'ERR_NOT_ENTITLED', (voices, taskId) => voices.starts(taskId, {}, STRANGER)],
];

describe('a record that is rejected', () => {
  it.each(REJECTED)(
    '%s is %s, goes to the dead letters, and does nothing else',
    async (_what, code, make) => {
      const taskId = uuidv7();
      const record = await make(world.voices, taskId);

      const good = await world.hearWithGoodTask(broker, record);

      const key = record.key?.toString() ?? '';
      const about = /^[0-9a-f-]{36}$/.test(key) ? key : 'unknown';
      const [rejected, ...more] = await world.hears(about, 'event.rejected');
      expect(rejected).toMatchObject({ code, record: { offset: String(record.offset) } });
      expect(more).toEqual([]);
      expect(world.deadLetters).toHaveLength(1);
      const [letter] = world.deadLetters;
      expect(letter && header(letter, 'dlq-code')?.toString()).toBe(code);
      expect(letter && header(letter, 'dlq-offset')?.toString()).toBe(String(record.offset));
      expect(world.typesOf(taskId).filter((type) => type !== 'event.rejected')).toEqual([]);
      expect(world.events(good, 'lease.issued')).toHaveLength(1);
      expect(world.target.creates).toHaveLength(1);
    },
  );

  it("keeps neither its SVID nor a person's token in its dead letter, only their digests", async () => {
    const record = await world.voices.starts(uuidv7());
    const { [HEADERS.svid]: svid } = record.headers;
    record.headers = { ...record.headers, ce_time: undefined, [HEADERS.principal]: 'eyJ.of.maria' };

    await world.hearWithGoodTask(broker, record);

    const [letter] = world.deadLetters;
    expect(letter?.headers['dlq-header-mayfly-svid']?.toString()).toMatch(/^sha256:[0-9a-f]{64}$/);
    const headers = Object.values(letter?.headers ?? {}).join('\n');
    expect(headers).not.toContain(String(svid));
    expect(headers).not.toContain('eyJ.of.maria');
  });

  it('keeps its bytes as they came, unless no bus would carry them again', async () => {
    const bytes = Buffer.from([0x7b, 0x00, 0xff]);
    const small = { ...(await world.voices.starts(uuidv7())), value: bytes };
    const large = { ...(await world.voices.starts(uuidv7())), value: Buffer.alloc(900_000) };

    await world.hearWithGoodTask(broker, small, large);

    expect(world.deadLetters.map(({ value }) => value)).toEqual(expect.arrayContaining([bytes, null]));
  });
});
