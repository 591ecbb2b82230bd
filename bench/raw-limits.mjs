/** What the machine gives without Mayfly, in the same run: commits, roles, and a record there and back. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { createMessage } from '../dist/libs/providers/src/postgres/create-message.js';
import { principalOf } from '../dist/libs/providers/src/principal-name.js';
import { randomSecret, scramVerifier } from '../dist/libs/providers/src/postgres/scram-verifier.js';
import { latencies } from './stats.mjs';

async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const perSecond = async (count, work) => {
  const startMs = performance.now();
  for (let n = 0; n < count; n += 1) await work(n);
  return Math.round((count * 1_000) / (performance.now() - startMs));
};

/** A lease as the provider makes it, without Mayfly. */
function planOf() {
  const leaseId = uuidv7();
  const inMs = (ms) => new Date(Date.now() + ms).toISOString();
  return {
    leaseId,
    principal: principalOf('raw', leaseId),
    rights: ['pol_crm_orders_read'],
    createByMs: Date.now() + 60_000,
    createBy: inMs(60_000),
    validUntil: inMs(3_600_000),
    keepFenceUntil: inMs(3_600_000),
  };
}

export async function rawLimits(stack, size) {
  const commits = await withClient(stack.urls.database, async (client) => {
    await client.query('CREATE TABLE IF NOT EXISTS public.bench_raw (n int)');
    const rate = await perSecond(size.raw, (n) =>
      client.query('INSERT INTO public.bench_raw VALUES ($1)', [n]),
    );
    await client.query('DROP TABLE public.bench_raw');
    return rate;
  });
  const roles = await withClient(stack.urls.target, async (client) => {
    const names = Array.from({ length: size.raw }, (_, n) => `bench_raw_${n}`);
    const rate = await perSecond(names.length, (n) => client.query(`CREATE ROLE ${names[n]} NOLOGIN`));
    for (const name of names) await client.query(`DROP ROLE ${name}`);
    return rate;
  });
  const credentials = await withClient(stack.urls.target, async (client) => {
    const plans = Array.from({ length: size.raw }, planOf);
    await client.query('SET SESSION AUTHORIZATION mayfly_broker');
    const rate = await perSecond(plans.length, (n) =>
      client.query(
        createMessage(
          [{ plan: plans[n], verifier: scramVerifier(randomSecret(), 1) }],
          'mayfly_issuer',
          3_000,
        ),
      ),
    );
    await client.query('RESET SESSION AUTHORIZATION');
    for (const { principal } of plans) await client.query(`DROP ROLE ${principal}`);
    return rate;
  });
  return {
    'INSERT commits/s, one client': commits,
    'CREATE ROLE/s, one client': roles,
    'role, membership and fence in one message/s, one client': credentials,
    'produce → consume': await bothWays(stack.addresses.kafka, size.raw),
  };
}

async function bothWays(brokers, count) {
  const kafka = new Kafka({ brokers: brokers.split(','), clientId: 'raw', logLevel: logLevel.NOTHING });
  const topic = `bench-raw-${randomUUID()}`;
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 150 });
  await consumer.connect();
  await consumer.subscribe({ topic });
  let read = () => {};
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ eachBatch: () => Promise.resolve(read()) });
  await joined;
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const valuesMs = [];
  for (let n = 0; n < count; n += 1) {
    const back = new Promise((resolve) => (read = resolve));
    const startMs = performance.now();
    await producer.send({ topic, acks: -1, messages: [{ key: 'k', value: Buffer.alloc(1_000) }] });
    await back;
    if (n >= count / 10) valuesMs.push(performance.now() - startMs);
  }
  await Promise.all([consumer.disconnect(), producer.disconnect()]);
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
  return latencies(valuesMs);
}
