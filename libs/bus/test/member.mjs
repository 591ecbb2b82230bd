/** A member of a group that a test kills: Kafka would wait for it for a minute. */
import { kafkajs } from '#bus/kafka/client.js';
import { tellingAssigner } from '#bus/kafka/dead-members.js';

const [topic, group, processId] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ brokers: process.env.KAFKA_BROKERS.split(','), logLevel: 0 });
const member = kafka.consumer({
  groupId: group,
  sessionTimeout: 60_000,
  partitionAssigners: [tellingAssigner(processId)],
});
member.on(member.events.GROUP_JOIN, () => process.stdout.write('joined\n'));
await member.connect();
await member.subscribe({ topics: [topic] });
await member.run({ eachMessage: () => Promise.resolve() });
