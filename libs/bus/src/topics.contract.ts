/** The bus' contract: topics. */
import type { Bus } from './bus.js';
import { freshTopic, record, unique, type OpenedBus } from './contract-support.contract.js';

export function describeTopics(opened: () => OpenedBus): void {
  let bus: Bus;
  beforeAll(() => {
    ({ bus } = opened());
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
      const to = await freshTopic(bus, 2);

      const ensuring = bus.ensureTopics([{ topic: to, partitions: 3, config: {} }]);

      await expect(ensuring).rejects.toMatchObject({
        code: 'ERR_TOPIC_MISCONFIGURED',
        fields: { topic: to, setting: 'partitions', wanted: 3, found: 2 },
      });
    });

    it('that let the producer set the time are refused where the append time is wanted', async () => {
      const to = await freshTopic(bus, 1, { 'message.timestamp.type': 'CreateTime' });
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
      const [empty, full] = [await freshTopic(bus, 1), await freshTopic(bus, 1)];
      await bus.publish([record(full, 'k', '1'), record(full, 'k', '2')]);

      const ends = await bus.ends([empty, full]);

      expect(ends).toContainEqual({ topic: empty, partition: 0, next: 0n, oldest: 0n });
      expect(ends).toContainEqual({ topic: full, partition: 0, next: 2n, oldest: 0n });
    });
  });
}
