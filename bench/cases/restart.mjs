/**
 * kill -9 of broker and revoker with many live leases, then a start: until the first issue, the first cut of what has become due
 * meanwhile, and how much more memory the services take than with none. The mass of leases are rows like those of a real one,
 * without roles at the target: a start that walked them would show.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEnvelope } from '../../dist/libs/agent/src/open-envelope.js';
import { ANALYST } from '../sample-world.mjs';
import { residentMiB } from '../services.mjs';

export const name = 'restart';
export const needsStack = true;

const SERVICES = ['broker', 'revoker'];
const TTL_MS = 10_000;

export const run = ({ world, size }) => world.hearing(() => restart(world, size));

async function restart(world, size) {
  const { stack } = world;
  const [taskId] = await world.startTasks(1);
  const before = await residentMiB(stack, SERVICES);
  await multiply(world, taskId, size.leases);

  const { envelope, callId } = await world.call(taskId, { ttlMs: TTL_MS });
  const issuedMs = performance.now();
  const { connection } = await openEnvelope(envelope, world.sealKey, { taskId, callId, agent: ANALYST });
  const session = new pg.Client({ ...connection, ssl: false, password: connection.password.reveal() });
  const died = new Promise((resolve) => session.on('error', () => resolve(performance.now())));
  await session.connect();

  await Promise.all(SERVICES.map((service) => stack.kill(service)));
  await sleep(TTL_MS + 500 - (performance.now() - issuedMs));
  const answered = world.call(taskId).then(() => performance.now());
  const revokerMs = performance.now();
  await stack.start('revoker');
  const firstCutMs = (await died) - revokerMs;
  const brokerMs = performance.now();
  const [, atMs] = await Promise.all([stack.start('broker'), answered]);
  const after = await residentMiB(stack, SERVICES);
  await world.endTasks([taskId]);
  return {
    leases: size.leases,
    'first cut ms': Math.round(firstCutMs),
    'first issue ms': Math.round(atMs - brokerMs),
    ...Object.fromEntries(
      SERVICES.map((service) => [`${service} MiB more`, after[service] - before[service]]),
    ),
  };
}

/** Rows of one real lease, again under other ids, in both services. */
async function multiply(world, taskId, count) {
  const { callId } = await world.call(taskId);
  const client = new pg.Client({ connectionString: world.stack.urls.database });
  await client.connect();
  try {
    await client.query(
      `INSERT INTO broker.lease (lease_id, task_id, agent, call_id, state, cut_heard, intent, create_by, claimed_by, envelope)
       SELECT gen.id, task_id, agent, gen.id, state, cut_heard, jsonb_set(intent, '{leaseId}', to_jsonb(gen.id)), create_by,
              claimed_by, envelope
         FROM broker.lease, (SELECT gen_random_uuid()::text AS id FROM generate_series(1, $2)) AS gen WHERE call_id = $1`,
      [callId, count],
    );
    await client.query(
      `INSERT INTO revoker.lease (lease_id, task_id, target, state, not_after, act_at, taken_by, body)
       SELECT gen.id, task_id, target, state, now() + interval '1 day', NULL, NULL, jsonb_set(body, '{leaseId}', to_jsonb(gen.id))
         FROM revoker.lease, (SELECT gen_random_uuid()::text AS id FROM generate_series(1, $2)) AS gen
        WHERE lease_id = (SELECT lease_id FROM broker.lease WHERE call_id = $1)`,
      [callId, count],
    );
    await client.query('ANALYZE');
  } finally {
    await client.end();
  }
}
