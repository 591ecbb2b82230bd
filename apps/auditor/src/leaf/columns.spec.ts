import type { BusRecord } from '#bus/bus.js';
import { DELIVERY } from '#events/topics.js';
import { common, LEASE, ORCHESTRATOR, started, World } from '../../spec/world.js';
import { columnsOf, differing, type Columns } from './columns.js';
import type { Entry } from './entry.js';
import { gapEntry, KEY_ADDED, keyChangeEntry } from './own-entry.js';

let world: World;
beforeAll(async () => (world = await World.open()));
afterAll(() => world.close());

type Named = Pick<Entry, 'admitted' | 'type' | 'taskId' | 'eventId'>;
const stored = (record: Pick<BusRecord, 'topic' | 'partition' | 'offset' | 'appendedAtMs'>, entry: Named) => {
  const { topic, partition, offset, appendedAtMs } = record;
  const { admitted, type, taskId, eventId } = entry;
  const atMs = Math.abs(appendedAtMs) < 8.64e15 ? BigInt(appendedAtMs) : 0n;
  return { topic, partition, offset, appendedAtMs: atMs, admitted, type, taskId, eventId };
};
const enter = async (record: BusRecord): Promise<[Columns, Buffer]> => {
  const entry = await world.entryOf(record);
  return [stored(record, entry), entry.leaf];
};

it('says of each entry what its columns say', async () => {
  const forged = world.wrote('broker', 'task.ended', common);
  forged.value = Buffer.from('{');
  const said = await world.said('task.started', started, ORCHESTRATOR);
  const records = [
    said,
    world.wrote('broker', 'task.accepted', common),
    world.wrote('broker', 'something.new', common),
    forged,
    { ...said, headers: {} },
    { ...said, appendedAtMs: Number.MAX_SAFE_INTEGER },
    { ...said, appendedAtMs: -1 },
    world.wrote('broker', 'credential.delivered', Buffer.from('e30.x.x.x.x'), {
      topic: DELIVERY,
      key: LEASE,
    }),
    world.wrote('broker', 'task.ended', null),
  ];
  for (const record of records) {
    const [columns, leaf] = await enter(record);
    expect(differing(columns, columnsOf(leaf) ?? {})).toEqual([]);
  }
});

it('says of a key that came at which checkpoint', () => {
  const vkey = 'audit.example/log+1a2b3c4d+AbCd';
  const change = { type: KEY_ADDED, vkey, keys: [vkey], note: 'note', n: 4n } as const;
  const { record, entry } = keyChangeEntry(change, 1_000);

  expect(columnsOf(entry.leaf)).toEqual(stored(record, entry));
});

it('says of a gap where it began', () => {
  const gap = { topic: DELIVERY, partition: 3, from: 7n, to: 9n };
  const { record, entry } = gapEntry(gap, 1_000);

  expect(columnsOf(entry.leaf)).toEqual(stored(record, entry));
});

it.each<Partial<Columns>>([
  { topic: 'mayfly.other' },
  { partition: 9 },
  { offset: 1_000n },
  { appendedAtMs: 1n },
  { admitted: false },
  { type: 'task.ended' },
  { type: null },
  { taskId: LEASE },
  { eventId: LEASE },
])('sees that a column alone was changed: %o', async (change) => {
  const [columns, leaf] = await enter(world.wrote('broker', 'task.accepted', common));

  expect(differing({ ...columns, ...change }, columnsOf(leaf) ?? {})).toEqual(Object.keys(change));
});

it.each(['', '{', '7', 'null'])('says nothing of bytes that are no envelope: %s', (text) => {
  expect(columnsOf(Buffer.from(text))).toBeUndefined();
});
