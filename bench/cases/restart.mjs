/**
 * kill -9 of broker and revoker with many live leases, then a start: until the first issue, the first cut of what has become due
 * meanwhile, and how much more memory the services take than with none. The lease that is cut first was known to the revoker: of one that
 * was issued in the last moment it hears as it reads on. The mass of leases are rows like those of a real one, without roles at the
 * target: a start that walked them would show.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { openEnvelope } from '../../dist/libs/agent/src/open-envelope.js';
import { asAdmin, multiply } from '../multiply.mjs';
import { ANALYST } from '../sample-world.mjs';
import { residentMiB } from '../services.mjs';

export const name = 'restart';
export const needsStack = true;

const SERVICES = ['broker', 'revoker'];
const TTL_MS = 10_000;
const KNOWN_EVERY_MS = 10;

export const run = ({ world, size }) => world.hearing(() => restart(world, size));

async function restart(world, size) {
  const { stack } = world;
  const [taskId] = await world.startTasks(1);
  const before = await residentMiB(stack, SERVICES);
  await multiply(world, taskId, size.leases, SERVICES);

  const { envelope, callId } = await world.call(taskId, { ttlMs: TTL_MS });
  const issuedMs = performance.now();
  const { connection } = await openEnvelope(envelope, world.sealKey, { taskId, callId, agent: ANALYST });
  const session = new pg.Client({ ...connection, ssl: false, password: connection.password.reveal() });
  const died = new Promise((resolve) => session.on('error', () => resolve(performance.now())));
  await session.connect();
  await known(world, callId);

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

/** The revoker's readers may be some milliseconds behind an issue. */
async function known(world, callId) {
  const asked =
    "SELECT FROM revoker.lease WHERE state = 'known' AND lease_id = (SELECT lease_id FROM broker.lease WHERE call_id = $1)";
  await asAdmin(world, async (client) => {
    while ((await client.query(asked, [callId])).rowCount === 0) await sleep(KNOWN_EVERY_MS);
  });
}
