import { BusError, type OutgoingRecord } from '#bus/bus.js';
import { writeHeaders } from '#events/envelope.js';
import { FakeBus } from '../../../test/support/fake-bus.js';
import { freshSchema, type FreshSchema } from '../test/fresh-schema.js';
import { somebodyElse } from '../../bus/test/somebody-else.js';
import { until } from '../test/until.js';
import { transact } from './database.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from './outbox.js';
import { Relay } from './relay.js';
import { storeMigrations } from './store-migrations.js';

const TOPIC = 'mayfly.credential.events.v1';

const record = (n: number, key = 'task-1'): UnsignedRecord => ({
  topic: TOPIC,
  key,
  head: {
    id: `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`,
    source: '//mayfly/broker',
    type: 'dev.mayfly.lease.issued.v1',
    subject: key,
    time: '2026-11-24T12:00:00.000Z',
    contentType: 'application/json',
  },
  value: Buffer.from(String(n)),
});

let schema: FreshSchema;
let bus: FakeBus;
let warnings: string[];
const relays: Relay[] = [];
beforeEach(async () => {
  schema = await freshSchema('relay', storeMigrations);
  bus = new FakeBus();
  warnings = [];
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
  await schema.drop();
});

function made(
  publish = (records: readonly OutgoingRecord[]) => bus.publish(records),
  first?: string,
  whileSigning = () => {},
) {
  const relay = new Relay({
    ...(first === undefined ? {} : { first: new Set([first]) }),
    db: schema.db,
    bus: Object.assign(Object.create(bus) as FakeBus, { publish }),
    sign: ({ head }, store) => {
      whileSigning();
      return { ...writeHeaders(head), 'mayfly-store': store };
    },
    warn: (_fields, message) => warnings.push(message),
  });
  relays.push(relay);
  return relay;
}
async function started(publish?: (records: readonly OutgoingRecord[]) => Promise<void>) {
  const relay = made(publish);
  await relay.start();
  return relay;
}

const queued = (...records: UnsignedRecord[]): Promise<QueuedRecord[]> =>
  transact(schema.db, (tx) => enqueue(tx, records));
const rows = async () => {
  const { rows } = await schema.db.pool.query<{ n: number }>('SELECT count(*)::int AS n FROM outbox');
  return rows[0]?.n;
};
const published = () => bus.records(TOPIC).map((each) => Number(each.value?.toString()));
const counters = () =>
  bus.records(TOPIC).map((each) => {
    const [epoch, n] = (each.headers['mayfly-store'] ?? '').toString().split('.');
    return { epoch, n: Number(n) };
  });
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

it('sends what it is handed, and deletes what the bus has acknowledged', async () => {
  const relay = await started();

  await relay.send(await queued(record(1), record(2)));

  expect(published()).toEqual([1, 2]);
  await until(async () => (await rows()) === 0);
});

it('sends nothing of a transaction that rolled back', async () => {
  const relay = await started();
  const lost = transact(schema.db, async (tx) => {
    await enqueue(tx, [record(1)]);
    throw new Error('rolled back');
  });
  await expect(lost).rejects.toThrow('rolled back');

  await relay.drain(0);

  expect(published()).toEqual([]);
});

it('sends at its start what a dead writer left behind', async () => {
  await queued(record(1), record(2));

  await started();

  expect(published()).toEqual([1, 2]);
  await until(async () => (await rows()) === 0);
});

it('sends, when a partition is taken over, all that its dead owner left, in order', async () => {
  const relay = await started();
  await queued(...numbers(0, 2_500).map((n) => record(n)));

  await relay.drain(0);

  expect(published()).toEqual(numbers(0, 2_500));
});

it('finds rows of a dead writer while it runs, once they are old', async () => {
  const relay = await started();
  await transact(schema.db, async (tx) => {
    await enqueue(tx, [record(1)]);
    await tx.query("UPDATE outbox SET queued_at = now() + interval '1 hour'");
  });
  await relay.drain(2_000);
  expect(published()).toEqual([]);
  await schema.db.pool.query("UPDATE outbox SET queued_at = now() - interval '1 minute'");

  await until(() => published().length === 1);
});

it('does not send again what it has in hand', async () => {
  let letThrough = () => {};
  const held = new Promise<void>((resolve) => (letThrough = resolve));
  const relay = await started(async (records) => {
    await held;
    await bus.publish(records);
  });
  const sending = relay.send(await queued(record(1)));

  const draining = relay.drain(0);
  letThrough();
  await Promise.all([sending, draining]);

  expect(published()).toEqual([1]);
});

it('tries again for as long as the bus is away, and resolves only once it has acknowledged', async () => {
  const relay = await started();
  bus.away = true;
  let acknowledged = false;
  const sending = relay.send(await queued(record(1))).then(() => (acknowledged = true));
  await until(() => warnings.length >= 2);
  expect({ acknowledged, rows: await rows() }).toEqual({ acknowledged: false, rows: 1 });
  expect(relay.oldestMs()).toBeGreaterThan(0);

  bus.away = false;
  await sending;

  expect(warnings[0]).toBe('publish failed, trying again');
  expect(published()).toEqual([1]);
  expect(relay.oldestMs()).toBe(0);
});

it('keeps the order of a task over transactions whose records wait, handed over in any order', async () => {
  const relay = await started();
  bus.away = true;
  const inFlight = relay.send(await queued(record(0, 'task-2')));
  await until(() => warnings.length > 0);
  const batches = [await queued(record(1)), await queued(record(2)), await queued(record(3), record(4))];

  const waiting = batches.reverse().map((batch) => relay.send(batch));
  bus.away = false;
  await Promise.all([inFlight, ...waiting]);

  const ofTask = bus.records(TOPIC).filter((each) => each.key?.toString() === 'task-1');
  expect(ofTask.map((each) => Number(each.value?.toString()))).toEqual([1, 2, 3, 4]);
});

it('counts its records upwards in one epoch, over restarts', async () => {
  const first = await started();
  await first.send(await queued(record(1), record(2)));
  await first.stop();
  const second = await started();
  await second.send(await queued(record(3)));

  const seen = counters();
  expect(seen.map(({ n }) => n)).toEqual([...seen.map(({ n }) => n)].sort((a, b) => a - b));
  expect(new Set(seen.map(({ n }) => n)).size).toBe(3);
  expect(new Set(seen.map(({ epoch }) => epoch)).size).toBe(1);
});

it('leaves the rows that it could not send when it stops, for the next one', async () => {
  const first = await started();
  bus.away = true;
  void first.send(await queued(record(1)));
  await until(() => warnings.length > 0);
  await first.stop();
  expect(await rows()).toBe(1);

  bus.away = false;
  await started();

  expect(published()).toEqual([1]);
});

it('sends at once what is handed over in answer to an acknowledgement', async () => {
  // Not started: a sweep would come to send what was missed.
  const relay = made();
  const [first, second] = await queued(record(1), record(2));
  if (first === undefined || second === undefined) throw new Error('two were queued');

  // A turn earlier or later, the relay is busy or at rest; in between it must not be missed.
  const answered: number[] = [];
  const acknowledged = relay.send([first]).then(() => relay.send([second]));
  void acknowledged.then(() => answered.push(1));
  await until(() => answered.length > 0);

  expect(published()).toEqual([1, 2]);
});

it('signs many in turns, so that nobody else waits for all of it', async () => {
  const { busily, letInAfter } = somebodyElse();
  const relay = made(undefined, undefined, busily);

  await relay.send(await queued(record(1), record(2), record(3)));

  expect(published()).toEqual([1, 2, 3]);
  expect(letInAfter()).toBeLessThan(3);
});

it('parks what the bus refuses for good: its row stays, nobody is told that it was sent, and the others go on', async () => {
  const relay = await started((records) =>
    records.some((each) => each.value?.toString() === '2')
      ? Promise.reject(new BusError('ERR_RECORD_REFUSED', 'too large'))
      : bus.publish(records),
  );
  const [one, two, three] = await queued(record(1), record(2), record(3, 'task-2'));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three were queued');

  let told = false;
  void relay.send([two]).then(() => (told = true));
  await relay.send([one, three]);
  await until(async () => (await rows()) === 1);

  expect(published()).toEqual([1, 3]);
  expect(told).toBe(false);
  expect(warnings).toEqual(['the bus refuses a record: it is parked']);
});

it('starts, and drains, past a record that the bus refuses for good', async () => {
  await queued(record(1), record(2));
  const relay = await started((records) =>
    records.some((each) => each.value?.toString() === '1')
      ? Promise.reject(new BusError('ERR_RECORD_REFUSED', 'too large'))
      : bus.publish(records),
  );

  await relay.drain(0);

  expect(published()).toEqual([2]);
});

describe('a topic whose records go first', () => {
  const NEWS = 'mayfly.revocations.v1';
  const news = (n: number): UnsignedRecord => ({ ...record(n), topic: NEWS });

  /** What each request brought, in the order in which they were sent. */
  async function requestsOf(
    records: UnsignedRecord[],
    meanwhile: UnsignedRecord[] = [],
  ): Promise<number[][]> {
    const requests: number[][] = [];
    let sending: Promise<void> | undefined;
    const publish = async (sent: readonly OutgoingRecord[]) => {
      if (requests.length === 0 && meanwhile.length > 0) sending = relay.send(await queued(...meanwhile));
      requests.push(sent.map(({ value }) => Number(value?.toString())));
      await bus.publish(sent);
    };
    const relay = made(publish, NEWS);
    await relay.start();
    await relay.send(await queued(...records));
    await sending;
    return requests;
  }

  it('has them sent by themselves, before what was written with them', async () => {
    expect(await requestsOf([record(1), news(2), record(3), news(4)])).toEqual([
      [2, 4],
      [1, 3],
    ]);
  });

  it('holds up the others for one request, however many more of them come', async () => {
    expect(await requestsOf([record(1), news(2)], [news(3), record(4)])).toEqual([[2], [1, 3, 4]]);
  });
});
