/** What Kafka knows of the consumer groups of a service. */
import { leaveForDead } from '../dist/libs/bus/src/kafka/dead-members.js';
import { kafkajs } from '../dist/libs/bus/src/kafka/client.js';
import { createLog } from '../dist/libs/telemetry/src/log.js';
import { eventually } from '../scripts/servers/ports.mjs';

const EMPTY_WITHIN_MS = 20_000;
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
    const isEmpty = async () => {
      for (const group of names) await leaveForDead(kafka, admin, { group, process: nobodyLives }, log);
      const { groups } = await admin.describeGroups(names);
      return groups.every(({ members }) => members.length === 0);
    };
    // Who was killed while its group was being formed tells nothing of itself, and has to lapse.
    if (!(await eventually(isEmpty, { everyMs: 100, withinMs: EMPTY_WITHIN_MS })))
      throw new Error(`the groups of the ${service} still have members`);
    const { groups } = await admin.describeGroups(names);
    const known = groups.filter(({ state }) => state === 'Empty').map(({ groupId }) => groupId);
    if (known.length > 0) await admin.deleteGroups(known);
  } finally {
    await admin.disconnect();
  }
}
