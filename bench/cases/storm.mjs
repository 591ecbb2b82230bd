/**
 * Many leases whose tasks end at once: until the first and until the last of them is cut, and how long calls of other tasks take
 * meanwhile. Counted from before the ends are sent; they are signed beforehand. Each storm comes out of rest: everything that was said before has been
 * read by all, and of the leases of the storm before nothing is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { CutWatch } from '../cut-watch.mjs';
import { lend, steadyCalls } from '../lend.mjs';
import { processorTime } from '../processor.mjs';
import { atRest } from '../rest.mjs';
import { openSession } from '../session.mjs';
import { latencies } from '../stats.mjs';

export const name = 'storm';
export const needsStack = true;

/** An orchestrator has at most a thousand open tasks. */
const TASKS_MAX = 500;
/** Tasks whose calls go on. */
const OTHERS = 20;
const CALLS_PER_SECOND = 20;
const SILENT_FOR_MS = 60_000;

export async function run({ world, size }) {
  const figures = {};
  for (const leases of size.storms) Object.assign(figures, await storm(world, leases, size));
  return figures;
}

async function storm(world, leases, { live, idleMs }) {
  const [tasks, others] = await world.hearing(async () => [
    await world.startTasks(Math.min(TASKS_MAX, leases)),
    await world.startTasks(OTHERS),
  ]);
  const leaseIds = await lend(world, leases - live, (n) => tasks[n % tasks.length]);
  const sessions = [];
  for (let n = 0; n < live; n += 1) sessions.push(await openSession(world, tasks[n % tasks.length]));
  await atRest(world);
  const idle = await steadyCalls(world, others, CALLS_PER_SECOND, sleep(idleMs));

  const watch = await CutWatch.open(world);
  const ends = world.endsOf(tasks);
  const used = processorTime(world.stack);
  const sentAtMs = Date.now();
  const sentMs = performance.now();
  await world.bus.publish(ends);
  const cut = watch.cuts(leaseIds, SILENT_FOR_MS);
  const meanwhile = steadyCalls(world, others, CALLS_PER_SECOND, cut);
  const afterMs = (await cut).map((atMs) => atMs - sentAtMs);
  const spent = used(leases);
  const deadMs = (await Promise.all(sessions.map(({ died }) => died))).map((atMs) => atMs - sentMs);
  const busy = await meanwhile;
  await watch.removed(leaseIds, SILENT_FOR_MS);
  await watch.close();
  await world.hearing(async () => {
    // Where it was over soon not all of them were called.
    const called = others.slice(0, Math.max(idle.length, busy.length));
    const gone = called.map((taskId) => world.next('lease.removed', taskId));
    await world.endTasks(others);
    await Promise.all(gone);
  });
  const lastMs = Math.max(...afterMs);
  const of = `${leases} leases`;
  return {
    [`${of}: first cut ms`]: Math.min(...afterMs),
    [`${of}: last cut ms`]: lastMs,
    [`${of}: cuts/s`]: Math.round((leaseIds.length * 1_000) / lastMs),
    [`${of}: last session dead ms`]: Math.round(Math.max(...deadMs)),
    [`${of}: calls p99Ms before`]: latencies(idle).p99Ms,
    [`${of}: calls p99Ms meanwhile`]: latencies(busy).p99Ms,
    ...Object.fromEntries(
      Object.entries(spent).map(([part, ms]) => [`${of}: processor ms a cut: ${part}`, ms]),
    ),
  };
}
