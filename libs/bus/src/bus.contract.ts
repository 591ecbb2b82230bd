/**
 * What every adapter of the bus must do. Each test makes topics and groups of its own, so that suites may share a broker.
 */
import { randomUUID } from 'node:crypto';
import { BusError, type Bus, type BusRecord, type OutgoingRecord, type TopicToEnsure } from './bus.js';
import { handAtOffset, PositionBook, readAll, until } from './contract-support.contract.js';

/** What the port keeps its users from writing, but others on the bus may write. */
export interface RawWriter {
  write(
    topic: string,
    record: { key: string; value: Buffer; headers: Record<string, string | string[]>; timestampMs?: number },
  ): Promise<void>;
}

export interface OpenedBus {
  bus: Bus;
  raw: RawWriter;
  close(): Promise<void>;
}

export function describeBus(name: string, open: () => Promise<OpenedBus>): void {
  describe(`the bus contract: ${name}`, () => {
    let opened: OpenedBus;
    let bus: Bus;

    beforeAll(async () => {
      opened = await open();
      bus = opened.bus;
    });
    afterAll(() => opened.close());

    const unique = (what: string) => `${what}-${randomUUID()}`;

    async function topic(partitions = 1, config: Record<string, string> = {}): Promise<string> {
      const made: TopicToEnsure = { topic: unique('contract'), partitions, config };
      await bus.ensureTopics([made]);
      return made.topic;
    }

    const record = (to: string, key: string, text: string): OutgoingRecord => ({
      topic: to,
      key,
      value: Buffer.from(text),
      headers: {},
    });
    const texts = (records: readonly BusRecord[]) => records.map(({ value }) => value?.toString());

    describe('a published record', () => {
      it('arrives after those of its key published before it, on the same partition', async () => {
        const to = await topic(3);
        const sent = Array.from({ length: 100 }, (_, n) => record(to, `key-${n % 7}`, String(n)));

        await bus.publish(sent.slice(0, 50));
        await bus.publish(sent.slice(50));

        const read = await readAll(bus, to, 100);
        for (let k = 0; k < 7; k += 1) {
          const ofKey = read.filter(({ key }) => key?.toString() === `key-${k}`);
          expect(texts(ofKey)).toEqual(
            sent.filter(({ key }) => key === `key-${k}`).map((r) => String(r.value)),
          );
          expect(new Set(ofKey.map(({ partition }) => partition)).size).toBe(1);
        }
      });

      it('keeps the order of calls that do not wait for each other', async () => {
        const to = await topic();

        await Promise.all(Array.from({ length: 200 }, (_, n) => bus.publish([record(to, 'k', String(n))])));

        expect(texts(await readAll(bus, to, 200))).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
      });

      it('arrives with its bytes, key, headers and tombstones untouched', async () => {
        const to = await topic();
        const value = Buffer.from(Array.from({ length: 900_000 }, (_, i) => (i * 31) % 256));
        const headers = { ce_type: 'a', empty: '', 'ce-text': 'schöne grüße €', __proto__x: 'p' };

        await bus.publish([
          { topic: to, key: 'schlüssel', value, headers },
          { topic: to, key: 'gone', value: null, headers: {} },
          { topic: to, key: 'empty', value: Buffer.alloc(0), headers: {} },
        ]);

        const [large, gone, empty] = await readAll(bus, to, 3);
        expect(large?.value?.equals(value)).toBe(true);
        expect(large?.key?.toString()).toBe('schlüssel');
        expect(
          Object.fromEntries(Object.entries(large?.headers ?? {}).map(([k, v]) => [k, String(v)])),
        ).toEqual(headers);
        expect(gone?.value).toBeNull();
        expect(empty?.value).toEqual(Buffer.alloc(0));
      });

      it('is one of more than a single request may hold', async () => {
        const to = await topic();
        const sent = Array.from({ length: 2_500 }, (_, n) => record(to, 'k', `${n} `.padEnd(1_000, 'x')));

        await bus.publish(sent);

        const read = await readAll(bus, to, sent.length);
        expect(texts(read)).toEqual(sent.map((r) => String(r.value)));
      });

      it('is refused without those of other callers when it is too large', async () => {
        const to = await topic(1, { 'max.message.bytes': '100000' });

        const answers = await Promise.allSettled([
          bus.publish([record(to, 'k', 'before')]),
          bus.publish([record(to, 'k', 'x'.repeat(200_000))]),
          bus.publish([record(to, 'k', 'after')]),
        ]);

        expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
        expect(answers[1]).toMatchObject({ reason: { name: 'BusError', code: 'ERR_RECORD_REFUSED' } });
        const read = texts(await readAll(bus, to, 2));
        expect([...new Set(read)]).toEqual(['before', 'after']);
      });

      it('is refused when its topic does not exist', async () => {
        const publishing = bus.publish([record(unique('no-such-topic'), 'k', 'v')]);

        await expect(publishing).rejects.toMatchObject({ name: 'BusError', code: 'ERR_RECORD_REFUSED' });
      });

      it('carries the time of the append, not what its producer claims, where the topic says so', async () => {
        const to = await topic(1, { 'message.timestamp.type': 'LogAppendTime' });
        const beforeMs = Date.now();

        await opened.raw.write(to, { key: 'k', value: Buffer.from('v'), headers: {}, timestampMs: 1_000 });

        const [read] = await readAll(bus, to, 1);
        expect(read?.appendedAtMs).toBeGreaterThanOrEqual(beforeMs - 1_000);
        expect(read?.appendedAtMs).toBeLessThanOrEqual(Date.now() + 1_000);
      });

      it('shows a header that was given twice as an array', async () => {
        const to = await topic();

        await opened.raw.write(to, {
          key: 'k',
          value: Buffer.from('v'),
          headers: { ce_id: ['1', '2'], once: '3' },
        });

        const [read] = await readAll(bus, to, 1);
        expect(read?.headers['ce_id']).toEqual([Buffer.from('1'), Buffer.from('2')]);
        expect(read?.headers['once']).toEqual(Buffer.from('3'));
      });
    });

    describe('a subscription', () => {
      it('delivers a batch again when its handler rejects, and nothing is passed over', async () => {
        const to = await topic();
        await bus.publish(['1', '2', '3'].map((text) => record(to, 'k', text)));
        const handed: (string | undefined)[][] = [];
        const consumer = await bus.subscribe({
          group: unique('group'),
          topics: [to],
          positions: () => Promise.resolve([]),
          onBatch: (records) => {
            handed.push(texts(records));
            return handed.length < 3 ? Promise.reject(new Error('the store is away')) : Promise.resolve();
          },
          onCrash: fail,
        });

        await until(() => handed.length === 3);
        await bus.publish([record(to, 'k', '4')]);
        await until(() => handed.length === 4);

        expect(handed).toEqual([['1', '2', '3'], ['1', '2', '3'], ['1', '2', '3'], ['4']]);
        await consumer.stop();
      });

      it('begins at the stored position, and at the oldest record where none is stored', async () => {
        const to = await topic(2);
        const sent = Array.from({ length: 40 }, (_, n) => record(to, `key-${n}`, String(n)));
        await bus.publish(sent);
        const all = await readAll(bus, to, 40);
        const [zero, one] = [0, 1].map((partition) => all.filter((r) => r.partition === partition));
        const next = zero?.at(5)?.offset ?? -1n;

        const read = await readAll(bus, to, 35, [{ topic: to, partition: 0, next }]);

        expect(read.filter((r) => r.partition === 0).map((r) => r.offset)).toEqual(
          zero?.slice(5).map((r) => r.offset),
        );
        expect(read.filter((r) => r.partition === 1).map((r) => r.offset)).toEqual(one?.map((r) => r.offset));
      });

      it('ignores what the group itself has read before: only positions count', async () => {
        const to = await topic();
        const group = unique('group');
        await bus.publish([record(to, 'k', '1'), record(to, 'k', '2')]);
        await readAll(bus, to, 2, [], group);

        const again = await readAll(bus, to, 2, [], group);

        expect(texts(again)).toEqual(['1', '2']);
      });

      it('ends loudly when its stored position lies beyond the log, before any record is handled', async () => {
        const to = await topic();
        await bus.publish([record(to, 'k', '1')]);
        const onBatch = () => Promise.reject(new Error('must not be called'));
        const crash = new Promise<Error>((resolve) => {
          void bus.subscribe({
            group: unique('group'),
            topics: [to],
            positions: () => Promise.resolve([{ topic: to, partition: 0, next: 5n }]),
            onBatch,
            onCrash: resolve,
          });
        });

        const error = await crash;

        expect(error).toMatchObject({
          code: 'ERR_OFFSET_OUT_OF_RANGE',
          fields: { next: '5', low: '0', high: '1' },
        });
      });

      it('reports a handler that never succeeds once, with its cause, and is over', async () => {
        const to = await topic();
        await bus.publish([record(to, 'k', 'poison')]);
        const crashes: Error[] = [];
        const cause = new Error('bug in the handler');
        const consumer = await bus.subscribe({
          group: unique('group'),
          topics: [to],
          positions: () => Promise.resolve([]),
          onBatch: () => Promise.reject(cause),
          onCrash: (error) => void crashes.push(error),
        });

        await until(() => crashes.length > 0);
        await consumer.stop();

        expect(crashes).toHaveLength(1);
        expect(crashes[0]).toBeInstanceOf(BusError);
        expect(crashes[0]).toMatchObject({
          code: 'ERR_BUS_CRASHED',
          cause,
          fields: { topic: to, offset: '0' },
        });
        expect(consumer.isReady()).toBe(false);
      });

      it('reports positions that cannot be read', async () => {
        const to = await topic();
        const cause = new Error('no database');

        const crash = new Promise<Error>((resolve) => {
          const subscription = { group: unique('group'), topics: [to], onBatch: () => Promise.resolve() };
          void bus.subscribe({ ...subscription, positions: () => Promise.reject(cause), onCrash: resolve });
        });

        expect(await crash).toMatchObject({ code: 'ERR_BUS_CRASHED', cause });
      });

      it('is ready once it has its partitions, and waits for running handlers when it stops', async () => {
        const to = await topic();
        await bus.publish([record(to, 'k', '1')]);
        const steps: string[] = [];
        const hand = handAtOffset(0n);
        const consumer = await bus.subscribe({
          group: unique('group'),
          topics: [to],
          positions: () => Promise.resolve([]),
          onBatch: async (records) => {
            await hand.handle(records);
            steps.push('handled');
          },
          onCrash: fail,
        });
        await consumer.ready();
        expect(consumer.isReady()).toBe(true);
        await hand.begun;

        const stopping = consumer.stop().then(() => steps.push('stopped'));
        expect(consumer.isReady()).toBe(false);
        await bus.publish([record(to, 'k', '2')]);
        hand.release();
        await stopping;

        expect(steps).toEqual(['handled', 'stopped']);
      });

      it('may be stopped before it is ready', async () => {
        const to = await topic();
        const consumer = await bus.subscribe({
          group: unique('group'),
          topics: [to],
          positions: () => Promise.resolve([]),
          onBatch: () => Promise.resolve(),
          onCrash: fail,
        });

        await consumer.stop();

        expect(consumer.isReady()).toBe(false);
      });

      it('shares its partitions with a second member and takes them back, without loss or disorder', async () => {
        const to = await topic(6);
        const group = unique('group');
        const book = new PositionBook();
        const member = (who: string) =>
          bus.subscribe({
            group,
            topics: [to],
            positions: (assigned) => book.read(assigned),
            onBatch: (records) => book.apply(who, records),
            onCrash: fail,
          });
        const sent = Array.from({ length: 600 }, (_, n) => record(to, `key-${n % 30}`, String(n)));
        const first = await member('first');
        await first.ready();
        await bus.publish(sent.slice(0, 200));
        await until(() => book.effects.length === 200);

        const second = await member('second');
        await second.ready();
        await bus.publish(sent.slice(200, 400));
        await until(() => book.effects.length === 400);
        await first.stop();
        await bus.publish(sent.slice(400));
        await until(() => book.effects.length === 600);

        await second.stop();
        expect(book.effects.map(({ text }) => Number(text)).sort((a, b) => a - b)).toEqual(
          sent.map((_, n) => n),
        );
        expect(book.effects.some(({ who, text }) => who === 'first' && Number(text) >= 400)).toBe(false);
        expect(book.effects.some(({ who }) => who === 'second')).toBe(true);
        for (let k = 0; k < 30; k += 1) {
          const ofKey = book.effects.map(({ text }) => Number(text)).filter((n) => n % 30 === k);
          expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
        }
      });
    });

    describe('topics', () => {
      it('are made once, and may be ensured again', async () => {
        const wanted = {
          topic: unique('topic'),
          partitions: 2,
          config: { 'message.timestamp.type': 'LogAppendTime' },
        };

        await bus.ensureTopics([wanted]);
        await bus.ensureTopics([wanted]);

        expect(await bus.ends([wanted.topic])).toHaveLength(2);
      });

      it('may be ensured by two services at the same time', async () => {
        const wanted = { topic: unique('topic'), partitions: 2, config: {} };

        await Promise.all([bus.ensureTopics([wanted]), bus.ensureTopics([wanted])]);

        expect(await bus.ends([wanted.topic])).toHaveLength(2);
      });

      it('that have another number of partitions are refused', async () => {
        const to = await topic(2);

        const ensuring = bus.ensureTopics([{ topic: to, partitions: 3, config: {} }]);

        await expect(ensuring).rejects.toMatchObject({
          code: 'ERR_TOPIC_MISCONFIGURED',
          fields: { topic: to, setting: 'partitions', wanted: 3, found: 2 },
        });
      });

      it('that let the producer set the time are refused where the append time is wanted', async () => {
        const to = await topic(1, { 'message.timestamp.type': 'CreateTime' });
        const config = { 'message.timestamp.type': 'LogAppendTime' };

        const ensuring = bus.ensureTopics([{ topic: to, partitions: 1, config }]);

        await expect(ensuring).rejects.toMatchObject({
          code: 'ERR_TOPIC_MISCONFIGURED',
          fields: {
            topic: to,
            setting: 'message.timestamp.type',
            wanted: 'LogAppendTime',
            found: 'CreateTime',
          },
        });
      });

      it('end after their last record', async () => {
        const [empty, full] = [await topic(1), await topic(1)];
        await bus.publish([record(full, 'k', '1'), record(full, 'k', '2')]);

        const ends = await bus.ends([empty, full]);

        expect(ends).toContainEqual({ topic: empty, partition: 0, next: 0n });
        expect(ends).toContainEqual({ topic: full, partition: 0, next: 2n });
      });
    });
  });
}

const fail = (cause: Error) => {
  throw cause;
};
