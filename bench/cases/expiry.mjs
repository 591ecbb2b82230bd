/**
 * How late leases are cut at their end: some thousands that end one after the other within a minute, and some that end at one moment,
 * while a million others are asleep. The leases are real; those asleep are rows alone.
 */
import { CutWatch } from '../cut-watch.mjs';
import { lend } from '../lend.mjs';
import { asAdmin, multiply } from '../multiply.mjs';
import { latencies } from '../stats.mjs';

export const name = 'expiry';
export const needsStack = true;

const TASKS_MAX = 500;
/** Once the first ends. */
const SILENT_FOR_MS = 60_000;
/** As policy allows at most. */
const TTL_MAX_MS = 290_000;

export async function run({ world, size }) {
  const [sleepers, ...tasks] = await world.hearing(() =>
    world.startTasks(Math.min(TASKS_MAX, size.expiring) + 1),
  );
  await multiply(world, sleepers, size.asleep, ['revoker']);
  try {
    const { expiring, expiringMs, atOnce, lendMs } = size;
    const spread = await late(world, tasks, lendMs, expiring, (n) => (n * expiringMs) / expiring);
    const burst = await late(world, tasks, (lendMs * atOnce) / expiring, atOnce, () => 0);
    return {
      asleep: size.asleep,
      'due scan ms': await scanMs(world),
      ...shown(`${expiring} within ${expiringMs / 1_000} s`, spread),
      ...shown(`${atOnce} at one moment`, burst),
    };
  } finally {
    await wake(world, sleepers);
    await world.endTasks([sleepers, ...tasks]);
  }
}

/**
 * Lends for `lendMs` at most, with such times to live that the n-th lease ends `afterMs(n)` after the first: each call says what is left until then.
 * @returns how late each was cut; of fewer than `count` where so many could not be lent in the time
 */
async function late(world, tasks, lendMs, count, afterMs) {
  const watch = await CutWatch.open(world);
  const startMs = Date.now() + lendMs;
  const ttlOf = (n) => Math.min(TTL_MAX_MS, Math.max(1_000, Math.round(startMs + afterMs(n) - Date.now())));
  const leaseIds = await lend(
    world,
    count,
    (n) => tasks[n % tasks.length],
    (n) => ({ ttlMs: ttlOf(n) }),
    startMs - lendMs / 10,
  );
  // Where they were lent sooner nothing is told until then.
  const cutAtMs = await watch.cuts(leaseIds, Math.max(0, startMs - Date.now()) + SILENT_FOR_MS);
  const lateMs = leaseIds.map((leaseId, n) => cutAtMs[n] - watch.endOf(leaseId));
  await watch.close();
  return lateMs;
}

/** What the revoker looks for each 50 ms, with all that is asleep. */
const scanMs = (world) =>
  asAdmin(world, async (client) => {
    const { rows } = await client.query(
      `EXPLAIN (ANALYZE, FORMAT JSON) SELECT lease_id, task_id FROM revoker.lease
        WHERE state = 'known' AND not_after <= now() + interval '50 ms' ORDER BY not_after LIMIT 200`,
    );
    return rows[0]['QUERY PLAN'][0]['Execution Time'];
  });

const wake = (world, taskId) =>
  asAdmin(world, (client) =>
    client.query(`DELETE FROM revoker.lease WHERE task_id = $1 AND not_after > now() + interval '12 hours'`, [
      taskId,
    ]),
  );

const shown = (label, valuesMs) => {
  const { p50Ms, p99Ms } = latencies(valuesMs);
  return {
    [`${label}: leases`]: valuesMs.length,
    [`${label}: late p50Ms`]: p50Ms,
    [`${label}: late p99Ms`]: p99Ms,
    [`${label}: late at most ms`]: Math.max(...valuesMs),
  };
};
