/** A call on Kafka until its sealed PostgreSQL credential is read from the delivery topic, at a steady rate. */
import { setTimeout as sleep } from 'node:timers/promises';
import { latencies } from '../stats.mjs';

export const name = 'call-postgres';
export const needsStack = true;

const CALLS_A_TASK = 50;

export async function run({ world, size }) {
  const tasks = await world.hearing(() => world.startTasks(Math.ceil(size.calls / CALLS_A_TASK)));
  const calls = [];
  const startMs = performance.now();
  for (let n = 0; n < size.calls; n += 1) {
    const dueMs = startMs + (n * 1_000) / size.callsPerSecond;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    calls.push(world.call(tasks[n % tasks.length]));
  }
  const answered = await Promise.all(calls);
  const lost = answered.filter(({ answer }) => answer !== 'delivered').length;
  const tookS = (performance.now() - startMs) / 1_000;
  await world.hearing(async () => {
    const gone = tasks.map((taskId) => world.next('lease.removed', taskId));
    await world.endTasks(tasks);
    await Promise.all(gone);
  });
  return {
    'calls/s asked': size.callsPerSecond,
    'calls/s answered': Math.round(size.calls / tookS),
    ...latencies(answered.slice(Math.floor(size.calls / 10)).map(({ ms }) => ms)),
    lost,
  };
}
