import { describeBus } from '../bus.contract.js';
import type { OpenedBus } from '../contract-support.contract.js';
import { kafkajs } from './client.js';
import { openKafka } from './kafka-bus.js';
import { producerConfig } from './kafka-settings.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');

async function open(): Promise<OpenedBus> {
  const bus = await openKafka({ brokers, clientId: 'contract' });
  const producer = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).producer(
    producerConfig(),
  );
  await producer.connect();
  return {
    bus,
    raw: {
      write: async (topic, { key, value, headers, timestampMs }) => {
        const timestamp = timestampMs === undefined ? {} : { timestamp: String(timestampMs) };
        await producer.send({ topic, messages: [{ key, value, headers, ...timestamp }] });
      },
    },
    close: async () => {
      await producer.disconnect();
      await bus.close();
    },
  };
}

describeBus('Apache Kafka', open);
