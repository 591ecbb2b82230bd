/** What Kafka knows of the consumer groups of a service. */
import { leaveForDead } from '../dist/libs/bus/src/kafka/dead-members.js';
import { kafkajs } from '../dist/libs/bus/src/kafka/client.js';
import { createLog } from '../dist/libs/telemetry/src/log.js';

const nobodyLives = { id: 'faults', isDead: () => Promise.resolve(true) };

/** Lets Kafka forget them, and how far they have come. The service must be down. @param {string} brokers a list with commas */
export async function forgetGroups(brokers, service) {
  const kafka = new kafkajs.Kafka({
    brokers: brokers.split(','),
    clientId: 'faults',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const log = createLog('faults', { level: 'silent' });
  const admin = kafka.admin();
  await admin.connect();
  try {
    const names = [service, `${service}.gathered`];
    for (const group of names) await leaveForDead(kafka, admin, { group, process: nobodyLives }, log);
    const { groups } = await admin.describeGroups(names);
    const known = groups.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId);
    if (known.length > 0) await admin.deleteGroups(known);
  } finally {
    await admin.disconnect();
  }
}
