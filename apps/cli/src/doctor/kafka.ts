/** Whether Kafka answers, and whether the inbound topic stamps records with its own clock, which admission rests on. */
import { BusError } from '#bus/bus.js';
import type { Bus } from '#bus/bus.js';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import type { KafkaSettings } from '#bus/kafka/kafka-bus.js';
import { topicSpecs } from '#events/topics.js';
import { fail, ok, wordsOf } from './finding.js';
import type { Finding } from './finding.js';

export async function kafkaFindings(settings: KafkaSettings): Promise<Finding[]> {
  const where = settings.brokers.join(',');
  let bus: Bus;
  try {
    bus = await openKafka(settings);
  } catch (error) {
    return [
      fail('Kafka', `${where}: ${wordsOf(error)}`, 'npm start, or set KAFKA_BROKERS to a Kafka that runs'),
    ];
  }
  try {
    const topics = topicSpecs([]).map(({ topic }) => topic);
    await bus.ends(topics);
    return [ok('Kafka', where), await topicsFinding(bus)];
  } catch (error) {
    return [fail('Kafka', `${where}: ${wordsOf(error)}`, 'start the services once: they make the topics')];
  } finally {
    await bus.close();
  }
}

/** Asked only once all topics are there, so nothing is made. */
async function topicsFinding(bus: Bus): Promise<Finding> {
  const what = 'Kafka topics';
  try {
    await bus.ensureTopics(topicSpecs([]));
    return ok(what, 'partitions as promised, message.timestamp.type=LogAppendTime on the inbound topic');
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    const fields = Object.entries(error.fields).map(([name, value]) => `${name}=${value}`);
    return fail(
      what,
      [wordsOf(error), ...fields].join(' '),
      'set message.timestamp.type=LogAppendTime on the topic; a wrong number of partitions needs a new topic',
    );
  }
}
