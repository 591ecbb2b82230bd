/** `task.ended` acknowledged by Kafka until an open session of the target is dead, and until `lease.access_cut` is read. One task after the other. */
import pg from 'pg';
import { openEnvelope } from '../../dist/libs/agent/src/open-envelope.js';
import { ANALYST } from '../sample-world.mjs';
import { latencies } from '../stats.mjs';

export const name = 'end-cut';
export const needsStack = true;

export const run = ({ world, size }) => world.hearing(() => cuts(world, size));

async function cuts(world, size) {
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
  const skip = Math.floor(size.ends / 10);
  const shown = (label, values) =>
    Object.fromEntries(
      Object.entries(latencies(values.slice(skip))).map(([key, value]) => [`${label} ${key}`, value]),
    );
  return { ...shown('session dead', dead), ...shown('access_cut told', told) };
}
