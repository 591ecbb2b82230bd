/** Everything a Kafka holds, as a test that searches for what must not be there reads it: keys, headers and values of all topics. */
import { Kafka, logLevel } from 'kafkajs';

export async function readEverything(brokers: string): Promise<string[]> {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'search', logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__'));
  let wanted = 0;
  for (const topic of topics) {
    for (const { high, low } of await admin.fetchTopicOffsets(topic)) wanted += Number(high) - Number(low);
  }
  await admin.disconnect();

  const found: string[] = [];
  const consumer = kafka.consumer({ groupId: `search-${process.pid}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topics, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    consumer
      .run({
        eachMessage: ({ message: { key, value, headers } }) => {
          const texts = Object.entries(headers ?? {}).map(([name, header]) => `${name}=${String(header)}`);
          found.push([key, value, ...texts].map(String).join('\n'));
          if (found.length >= wanted) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}
