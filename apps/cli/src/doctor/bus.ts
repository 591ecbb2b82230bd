/** Whether the bus answers, and whether the inbound topic stamps records with its own clock, which admission rests on. */
import { BusError } from '#bus/bus.js';
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import type { BusSettings } from '#bus/open-bus.js';
import { topicSpecs } from '#events/topics.js';
import { fail, ok, warn, wordsOf } from './finding.js';
import type { Finding } from './finding.js';

export async function busFindings(settings: BusSettings): Promise<Finding[]> {
  const found = serverFinding(settings);
  let bus: Bus;
  try {
    bus = await openBus(settings, 'mayfly-doctor');
  } catch (error) {
    return [
      fail('bus', `${found.seen}: ${wordsOf(error)}`, 'npm start, or set KAFKA_BROKERS to a Kafka that runs'),
    ];
  }
  try {
    const topics = topicSpecs([]).map(({ topic }) => topic);
    await bus.ends(topics);
    return [found, await topicsFinding(bus)];
  } catch (error) {
    return [fail('bus', `${found.seen}: ${wordsOf(error)}`, 'start the services once: they make the topics')];
  } finally {
    await bus.close();
  }
}

function serverFinding({ kafka }: BusSettings): Finding {
  if (kafka !== undefined) return ok('bus', `Kafka at ${kafka.brokers.join(',')}`);
  return warn(
    'bus',
    "in Mayfly's PostgreSQL: Kafka clients cannot connect",
    'for a Kafka install Java 17 and Maven, or set KAFKA_BROKERS, and start again',
  );
}

/** Asked only once all topics are there, so nothing is made. */
async function topicsFinding(bus: Bus): Promise<Finding> {
  const what = 'topics';
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
