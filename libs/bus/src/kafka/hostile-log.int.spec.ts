/** What a log may do to its reader, and what those who may write to it may try. */
import { randomUUID } from 'node:crypto';
import type { Admin, Producer } from 'kafkajs';
import type { Bus, BusRecord, Position, Subscription } from '../bus.js';
import { handAtOffset, readAll, until } from '../contract-support.contract.js';
import { kafkajs } from './client.js';
import { openKafka } from './kafka-bus.js';
import { producerConfig } from './kafka-settings.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });

describe('a reader of Kafka', () => {
  let bus: Bus;
  let admin: Admin;
  let producer: Producer;

  beforeAll(async () => {
    bus = await openKafka({ brokers, clientId: 'hostile-log' });
    admin = kafka.admin();
    producer = kafka.producer(producerConfig());
    await Promise.all([admin.connect(), producer.connect()]);
  });
  afterAll(() => Promise.all([bus.close(), admin.disconnect(), producer.disconnect()]));

  async function topicWith(...values: string[]): Promise<string> {
    const topic = `hostile-${randomUUID()}`;
    await bus.ensureTopics([{ topic, partitions: 1, config: {} }]);
    await publish(topic, ...values);
    return topic;
  }
  const publish = (topic: string, ...values: string[]) =>
    bus.publish(values.map((value) => ({ topic, key: 'k', value: Buffer.from(value), headers: {} })));
  async function deleteBefore(topic: string, offset: number): Promise<void> {
    // Loads the topic's metadata, which the deletion itself does not.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
  }
  const subscribe = (
    topic: string,
    rest: Pick<Subscription, 'onBatch' | 'onCrash'>,
    stored: Position[] = [],
  ) =>
    bus.subscribe({
      group: `group-${randomUUID()}`,
      topics: [topic],
      positions: () => Promise.resolve(stored),
      ...rest,
    });
  const texts = (records: readonly BusRecord[]) => records.map(({ value }) => String(value));

  it('ends when the records after its stored position were deleted, before it handles any', async () => {
    const topic = await topicWith('0', '1', '2', '3');
    await deleteBefore(topic, 3);
    const handled: string[] = [];

    const crash = new Promise<Error>((resolve) => {
      const onBatch = (records: readonly BusRecord[]) =>
        Promise.resolve(void handled.push(...texts(records)));
      void subscribe(topic, { onBatch, onCrash: resolve }, [{ topic, partition: 0, next: 1n }]);
    });

    expect(await crash).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      fields: { topic, partition: 0, next: '1', low: '3', high: '4' },
    });
    expect(handled).toEqual([]);
  });

  it('begins at the oldest record when it has no stored position, wherever that is', async () => {
    const topic = await topicWith('0', '1', '2', '3');
    await deleteBefore(topic, 2);

    expect(texts(await readAll(bus, topic, 2))).toEqual(['2', '3']);
  });

  it('ends when records are deleted before it, although the client would go on behind them', async () => {
    const topic = await topicWith('0');
    const handled: string[] = [];
    const hand = handAtOffset(0n);
    const crashes: Error[] = [];
    const onBatch = async (records: readonly BusRecord[]) => {
      handled.push(...texts(records));
      await hand.handle(records);
    };
    await subscribe(topic, { onBatch, onCrash: (error) => void crashes.push(error) });
    await hand.begun;

    await publish(topic, '1', '2', '3');
    await deleteBefore(topic, 3).finally(hand.release);
    await until(() => crashes.length > 0);

    expect(crashes[0]).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      fields: { next: '1', low: '3', high: '4' },
    });
    expect(handled).toEqual(['0']);
  });

  it('ends when its topic is made anew with fewer records than it has read', async () => {
    const topic = await topicWith('0', '1', '2');
    const read = await readAll(bus, topic, 3);
    await admin.deleteTopics({ topics: [topic] });
    await remake(topic);
    await publish(topic, 'new');

    const next = (read.at(-1)?.offset ?? 0n) + 1n;
    const crash = new Promise<Error>((resolve) => {
      const onBatch = () => Promise.resolve();
      void subscribe(topic, { onBatch, onCrash: resolve }, [{ topic, partition: 0, next }]);
    });

    expect(await crash).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE' });
  });

  async function remake(topic: string): Promise<void> {
    for (;;) {
      // The name is free only some time after the answer to the deletion.
      if (await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }).catch(() => false)) return;
    }
  }

  it('reads a record with tens of thousands of headers without standing still', async () => {
    const topic = await topicWith();
    const names = Array.from({ length: 30_000 }, (_, n) => n.toString(36));
    const headers = { ...Object.fromEntries(names.map((name) => [name, ''])), twice: names };
    await producer.send({ topic, messages: [{ key: 'k', value: 'v', headers }] });
    const beforeMs = performance.now();

    const [read] = await readAll(bus, topic, 1);

    // With the square of their number it takes minutes.
    expect(performance.now() - beforeMs).toBeLessThan(30_000);
    expect(Object.keys(read?.headers ?? {})).toHaveLength(30_001);
    expect(read?.headers['twice']).toHaveLength(30_000);
  });

  it('is not held back by a transaction that its producer leaves open', async () => {
    const topic = await topicWith();
    const open = kafka.producer({ ...producerConfig(), transactionalId: `open-${randomUUID()}` });
    await open.connect();
    const transaction = await open.transaction();
    await transaction.send({ topic, messages: [{ key: 'k', value: 'in a transaction' }] });
    await publish(topic, 'after it');

    expect(texts(await readAll(bus, topic, 2))).toEqual(['in a transaction', 'after it']);

    await transaction.abort();
    await open.disconnect();
  });

  it('goes on over the marks that transactions leave in the log', async () => {
    const topic = await topicWith();
    const handled: string[] = [];
    const consumer = await subscribe(topic, {
      onBatch: (records) => Promise.resolve(void handled.push(...texts(records))),
      onCrash: (error) => {
        throw error;
      },
    });
    const client = kafka.producer({ ...producerConfig(), transactionalId: `marks-${randomUUID()}` });
    await client.connect();
    for (const value of ['a', 'b', 'c']) {
      const transaction = await client.transaction();
      await transaction.send({ topic, messages: [{ key: 'k', value }] });
      await transaction.commit();
      await until(() => handled.includes(value));
    }

    expect(handled).toEqual(['a', 'b', 'c']);
    await client.disconnect();
    await consumer.stop();
  });

  it('reads what was sent compressed, because the broker keeps it uncompressed', async () => {
    const topic = await topicWith();
    const messages = [{ key: 'k', value: 'small'.repeat(10_000) }];
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });

    const [read] = await readAll(bus, topic, 1);

    expect(read?.value?.length).toBe(50_000);
    const [config] = (
      await admin.describeConfigs({
        includeSynonyms: false,
        resources: [
          { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['compression.type'] },
        ],
      })
    ).resources;
    expect(config?.configEntries).toMatchObject([
      { configName: 'compression.type', configValue: 'uncompressed' },
    ]);
  });

  it('refuses a topic that keeps what its producers compress', async () => {
    const topic = `hostile-${randomUUID()}`;
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });

    const ensuring = bus.ensureTopics([{ topic, partitions: 1, config: {} }]);

    await expect(ensuring).rejects.toMatchObject({
      code: 'ERR_TOPIC_MISCONFIGURED',
      fields: { setting: 'compression.type', wanted: 'uncompressed', found: 'producer' },
    });
  });
});
