/** A call on Kafka until its sealed credential is read from the delivery topic, at a steady rate and as fast as it goes. */
import { atRate } from '../at-rate.mjs';
import { processorTime } from '../processor.mjs';
import { ON_A_DATABASE, WITH_A_TOKEN } from '../sample-world.mjs';
import { latencies } from '../stats.mjs';

const CALLS_A_TASK = 50;

/** A PostgreSQL user for each call. */
export const callPostgres = {
  name: 'call-postgres',
  needsStack: true,
  run: (given) => measure({ ...given, act: ON_A_DATABASE }),
};
/** A token for each call, bound to the agent's key. */
export const callJwt = {
  name: 'call-jwt',
  needsStack: true,
  run: (given) => measure({ ...given, act: WITH_A_TOKEN }),
};

async function measure({ world, size, act }) {
  const { warmUp, calls, callsPerSecond, backlog } = size;
  const count = warmUp + calls + backlog;
  const tasks = await world.hearing(() => world.startTasks(Math.ceil(count / CALLS_A_TASK)));
  let asked = 0;
  const call = () => world.call(tasks[asked++ % tasks.length], act);
  // What a service that has just been started compiles is not what a call costs.
  await atRate(warmUp, callsPerSecond, call);
  const usedAtRate = processorTime(world.stack);
  const startMs = performance.now();
  const answered = await atRate(calls, callsPerSecond, call);
  const tookS = (performance.now() - startMs) / 1_000;
  const spentAtRate = usedAtRate(calls);
  // What is there at once: how fast it goes where nothing is waited for.
  const used = processorTime(world.stack);
  const backlogMs = performance.now();
  const drained = await Promise.all(Array.from({ length: backlog }, call));
  const drainedS = (performance.now() - backlogMs) / 1_000;
  const spent = used(backlog);
  const refused = [...answered, ...drained].filter(({ answer }) => answer !== 'delivered');
  for (const code of new Set(refused.map((each) => each.code))) process.stderr.write(`refused: ${code}\n`);
  const lost = refused.length;
  await world.hearing(async () => {
    const gone = tasks.map((taskId) => world.next('lease.removed', taskId));
    await world.endTasks(tasks);
    await Promise.all(gone);
  });
  return {
    'calls/s asked': callsPerSecond,
    'calls/s answered': Math.round(calls / tookS),
    ...latencies(answered.map(({ ms }) => ms)),
    ...labelled('processor ms a call at this rate', spentAtRate),
    'calls/s of a backlog': Math.round(backlog / drainedS),
    ...labelled('processor ms a call of it', spent),
    lost,
  };
}

const labelled = (label, parts) =>
  Object.fromEntries(Object.entries(parts).map(([part, ms]) => [`${label}: ${part}`, ms]));
