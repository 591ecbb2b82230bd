/** Whoever starts in the place of a process that was killed reads at once. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Admin, Kafka } from 'kafkajs';
import { createLog } from '#telemetry/log.js';
import type { Bus } from '../bus.js';
import { kafkajs } from './client.js';
import { leaveForDead } from './dead-members.js';
import { openKafka } from './kafka-bus.js';

const at = (path: string) => fileURLToPath(new URL(`../../test/${path}`, import.meta.url));
const log = createLog('dead-members-spec', { level: 'silent' });
const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');

let kafka: Kafka;
let admin: Admin;
let bus: Bus;
let topic: string;
let group: string;
let killed: ChildProcess;
beforeAll(async () => {
  kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING });
  admin = kafka.admin();
  [bus] = await Promise.all([openKafka({ brokers, clientId: 'dead-members-spec' }), admin.connect()]);
});
beforeEach(async () => {
  const id = randomUUID();
  [topic, group] = [`members-${id}`, `group-${id}`];
  await bus.ensureTopics([{ topic, partitions: 3, config: {} }]);
  killed = await joined('killed');
});
afterEach(() => killed.kill('SIGKILL'));
afterAll(async () => {
  await Promise.all([bus.close(), admin.disconnect()]);
});

async function joined(processId: string): Promise<ChildProcess> {
  const args = ['--conditions=source', '--import', at('typescript-hooks.mjs'), at('member.mjs')];
  const member = spawn(process.execPath, [...args, topic, group, processId], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (member.stdout !== null) await once(member.stdout, 'data');
  return member;
}

async function kill(): Promise<void> {
  killed.kill('SIGKILL');
  await once(killed, 'exit');
}

const members = async () => (await admin.describeGroups([group])).groups[0]?.members.length;
const reading = (...dead: string[]) => ({
  ...{ id: 'next', isDead: (processId: string) => Promise.resolve(dead.includes(processId)) },
});

it('the dead are taken out of the group, the living are not', async () => {
  await kill();

  expect(await leaveForDead(kafka, admin, { group, process: reading('another') }, log)).toBe(0);
  expect(await members()).toBe(1);
  expect(await leaveForDead(kafka, admin, { group, process: reading('killed') }, log)).toBe(1);
  expect(await members()).toBe(0);
});

it('a reader in its place is assigned everything while Kafka would still wait', async () => {
  await kill();
  const positions: number[] = [];

  const reader = await bus.subscribe({
    ...{ group, topics: [topic], process: reading('killed') },
    positions: (assigned) => Promise.resolve((positions.push(assigned.length), [])),
    onBatch: () => Promise.resolve(),
    onCrash: () => undefined,
  });
  await reader.ready();

  expect(positions[0]).toBe(3);
  expect(await members()).toBe(1);
  await reader.stop();
});

it('of a group that nobody can ask for nobody is taken out, and nobody is stopped', async () => {
  const nowhere = { brokers: ['127.0.0.1:1'], retry: { retries: 0 }, logLevel: kafkajs.logLevel.NOTHING };
  const apart = new kafkajs.Kafka(nowhere).admin();
  expect(await leaveForDead(kafka, apart, { group, process: reading('killed') }, log)).toBe(0);
});
