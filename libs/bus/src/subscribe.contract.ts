/** The bus' contract: what a subscription does with positions, failing handlers, members and its end. */
import { BusError, type Bus } from './bus.js';
import {
  fail,
  freshTopic,
  handAtOffset,
  PositionBook,
  readAll,
  record,
  texts,
  unique,
  until,
  type OpenedBus,
} from './contract-support.contract.js';

export function describeSubscribing(opened: () => OpenedBus): void {
  let bus: Bus;
  beforeAll(() => {
    ({ bus } = opened());
  });

  describe('a subscription', () => {
    it('delivers a batch again when its handler rejects, and nothing is passed over', async () => {
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus, 2);
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
      const to = await freshTopic(bus);
      const group = unique('group');
      await bus.publish([record(to, 'k', '1'), record(to, 'k', '2')]);
      await readAll(bus, to, 2, [], group);

      const again = await readAll(bus, to, 2, [], group);

      expect(texts(again)).toEqual(['1', '2']);
    });

    it('ends loudly when its stored position lies beyond the log, before any record is handled', async () => {
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus);
      const cause = new Error('no database');

      const crash = new Promise<Error>((resolve) => {
        const subscription = { group: unique('group'), topics: [to], onBatch: () => Promise.resolve() };
        void bus.subscribe({ ...subscription, positions: () => Promise.reject(cause), onCrash: resolve });
      });

      expect(await crash).toMatchObject({ code: 'ERR_BUS_CRASHED', cause });
    });

    it('is ready once it has its partitions, and waits for running handlers when it stops', async () => {
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus, 6);
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
}
