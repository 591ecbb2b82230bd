/**
 * `task.ended` acknowledged by Kafka until an open session of the target is dead and `lease.access_cut` is read, and until a verifier
 * refuses a token. One task after the other.
 */
import pg from 'pg';
import { openEnvelope } from '../../dist/libs/agent/src/open-envelope.js';
import { Resource } from '../resource.mjs';
import { ANALYST } from '../sample-world.mjs';
import { latencies } from '../stats.mjs';

export const name = 'end-cut';
export const needsStack = true;

export const run = ({ world, size }) =>
  world.hearing(async () => ({ ...(await sessions(world, size)), ...(await tokens(world, size)) }));

async function tokens(world, { ends }) {
  const resource = await Resource.open(world);
  try {
    await resource.ready();
    const refused = [];
    for (const taskId of await world.startTasks(ends)) {
      const token = await resource.token(taskId);
      const verdict = await resource.verifier.check(resource.request(token));
      if (!verdict.ok) throw new Error(`a good token was refused: ${verdict.code}`);
      const acknowledgedMs = await world.endTasks([taskId]);
      refused.push((await resource.refused(token)) - acknowledgedMs);
    }
    return shown('token refused', refused, ends);
  } finally {
    await resource.close();
  }
}

async function sessions(world, size) {
  const dead = [];
  const told = [];
  const tasks = await world.startTasks(size.ends);
  for (const taskId of tasks) {
    const { envelope, callId } = await world.call(taskId);
    const { connection } = await openEnvelope(envelope, world.sealKey, {
      taskId,
      callId,
      agent: ANALYST,
    });
    const session = new pg.Client({ ...connection, ssl: false, password: connection.password.reveal() });
    const died = new Promise((resolve) => session.on('error', () => resolve(performance.now())));
    await session.connect();
    await session.query('SELECT 1');
    const cut = world.next('lease.access_cut', taskId);
    const acknowledgedMs = await world.endTasks([taskId]);
    dead.push((await died) - acknowledgedMs);
    told.push((await cut).atMs - acknowledgedMs);
  }
  return { ...shown('session dead', dead, size.ends), ...shown('access_cut told', told, size.ends) };
}

/** The first tenth warms up. */
const shown = (label, values, count) =>
  Object.fromEntries(
    Object.entries(latencies(values.slice(Math.floor(count / 10)))).map(([key, value]) => [
      `${label} ${key}`,
      value,
    ]),
  );
