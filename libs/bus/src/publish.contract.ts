/** The bus' contract: what becomes of a published record. */
import type { Bus } from './bus.js';
import {
  freshTopic,
  readAll,
  record,
  texts,
  unique,
  type OpenedBus,
  type RawWriter,
} from './contract-support.contract.js';

export function describePublishing(opened: () => OpenedBus): void {
  let bus: Bus;
  let raw: RawWriter;
  beforeAll(() => {
    ({ bus, raw } = opened());
  });

  describe('a published record', () => {
    it('arrives after those of its key published before it, on the same partition', async () => {
      const to = await freshTopic(bus, 3);
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
      const to = await freshTopic(bus);

      await Promise.all(Array.from({ length: 200 }, (_, n) => bus.publish([record(to, 'k', String(n))])));

      expect(texts(await readAll(bus, to, 200))).toEqual(Array.from({ length: 200 }, (_, n) => String(n)));
    });

    it('arrives with its bytes, key, headers and tombstones untouched', async () => {
      const to = await freshTopic(bus);
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
      const to = await freshTopic(bus);
      const sent = Array.from({ length: 2_500 }, (_, n) => record(to, 'k', `${n} `.padEnd(1_000, 'x')));

      await bus.publish(sent);

      const read = await readAll(bus, to, sent.length);
      expect(texts(read)).toEqual(sent.map((r) => String(r.value)));
    });

    it('is refused without those of other callers when it is too large', async () => {
      const to = await freshTopic(bus, 1, { 'max.message.bytes': '100000' });

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
      const to = await freshTopic(bus, 1, { 'message.timestamp.type': 'LogAppendTime' });
      const beforeMs = Date.now();

      await raw.write(to, { key: 'k', value: Buffer.from('v'), headers: {}, timestampMs: 1_000 });

      const [read] = await readAll(bus, to, 1);
      expect(read?.appendedAtMs).toBeGreaterThanOrEqual(beforeMs - 1_000);
      expect(read?.appendedAtMs).toBeLessThanOrEqual(Date.now() + 1_000);
    });

    it('shows a header that was given twice as an array', async () => {
      const to = await freshTopic(bus);

      await raw.write(to, {
        key: 'k',
        value: Buffer.from('v'),
        headers: { ce_id: ['1', '2'], once: '3' },
      });

      const [read] = await readAll(bus, to, 1);
      expect(read?.headers['ce_id']).toEqual([Buffer.from('1'), Buffer.from('2')]);
      expect(read?.headers['once']).toEqual(Buffer.from('3'));
    });
  });
}
