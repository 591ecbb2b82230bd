/**
 * Cut: fence and NOLOGIN committed first, then every session ended, then looked at until nothing is there (protocol
 * rule 7, class `fenced`). Safe to repeat and to run twice at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Log } from '#telemetry/log.js';
import type { CutReport } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { endAndLook } from './look.js';
import { send, type Pools } from './pools.js';
import { literal, name } from './sql.js';

/** A create holds its fence row for about a millisecond. Whoever holds it longer is paused, or means to. */
const BLOCKER_PATIENCE_MS = 50;
const FENCE_TIMEOUT_MS = 1_500;
/** When to look, in milliseconds after the fence. */
const LOOKS_AT_MS = [0, 2, 20, 50, 100, 200, 400, 700, 1_000, 1_400, 1_900];
/**
 * A login that passed the server's check just before the fence shows itself a little later, so the last of the empty
 * looks is not earlier than this.
 */
const SETTLED_AFTER_MS = 20;
const EMPTY_LOOKS = 2;

/** @throws ProviderError when the fence could not be set or the target could not be looked at: nothing is proven, call again */
export async function cut(pools: Pools, plan: CheckedPlan, issuerRole: string, log: Log): Promise<CutReport> {
  await setFence(pools, plan, issuerRole, log);
  return endSessions(pools.cut, plan);
}

async function endSessions(pool: pg.Pool, plan: CheckedPlan): Promise<CutReport> {
  const fencedAtMs = performance.now();
  const ended = new Set<number>();
  let emptyObservations = 0;
  for (let i = 0; ; i++) {
    await sleep(Math.max(0, (LOOKS_AT_MS[i] ?? 0) - (performance.now() - fencedAtMs)));
    const sentAfterMs = performance.now() - fencedAtMs;
    const { observation, endedPids } = await endAndLook(pool, plan);
    for (const pid of endedPids) ended.add(pid);
    emptyObservations = observation.state === 'live' ? 0 : emptyObservations + 1;
    const proven = emptyObservations >= EMPTY_LOOKS && sentAfterMs >= SETTLED_AFTER_MS;
    if (proven || i >= LOOKS_AT_MS.length - 1) {
      return { observation, emptyObservations, sessionsEnded: ended.size };
    }
  }
}

/** Commits the fence and takes the login away, ending whoever stands in the way: a paused create, or the principal itself changing its own password. */
async function setFence(pools: Pools, plan: CheckedPlan, issuerRole: string, log: Log): Promise<void> {
  try {
    const client = await pools.cut.connect();
    // Read before the connection goes back to the pool.
    const pid = backendPid(client);
    const fence = send(client, fenceMessage(plan, issuerRole));
    const answered = new AbortController();
    const guard = endBlockers(pools.guard, pid, answered.signal, log);
    await fence.finally(() => answered.abort());
    await guard;
  } catch (error) {
    throw asProviderError(error);
  }
}

/** Never rejects. */
async function endBlockers(pool: pg.Pool, pid: number, answered: AbortSignal, log: Log): Promise<void> {
  while (await waited(BLOCKER_PATIENCE_MS, answered)) {
    try {
      const { rowCount } = await pool.query(END_BLOCKERS, [pid]);
      if (rowCount) log.warn({ count: rowCount }, 'ended backends that held up a cut');
    } catch (error) {
      log.warn({ err: error }, 'cannot end the backends that hold up a cut');
    }
  }
}

/** False once the fence is answered. */
const waited = (ms: number, answered: AbortSignal): Promise<boolean> =>
  sleep(ms, true, { signal: answered }).catch(() => false);

/** Another cut of the same lease (our own login) is left alone: it is short, and it does the same. */
const END_BLOCKERS = `
SELECT pg_terminate_backend(s.pid) FROM unnest(pg_blocking_pids($1)) AS b (pid)
JOIN pg_stat_activity s ON s.pid = b.pid
WHERE s.usesysid IS DISTINCT FROM (SELECT oid FROM pg_roles WHERE rolname = session_user)`;

/** Requires a checked plan. */
export function fenceMessage(plan: CheckedPlan, issuerRole: string): string {
  return [
    'BEGIN',
    `SET LOCAL lock_timeout = ${FENCE_TIMEOUT_MS}`,
    `SET LOCAL statement_timeout = ${FENCE_TIMEOUT_MS}`,
    // A fence that a crash of the server could lose is none.
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`,
    `INSERT INTO mayfly.fence AS f (lease_id, principal, state, keep_until)
     VALUES (${literal(plan.leaseId)}, ${literal(plan.principal)}, 'cut', ${literal(plan.keepFenceUntil)})
     ON CONFLICT (lease_id) DO UPDATE SET state = 'cut', at = clock_timestamp(), keep_until = greatest(f.keep_until, excluded.keep_until)
     WHERE f.state <> 'cut' OR f.keep_until < excluded.keep_until`,
    `SET LOCAL ROLE ${name(issuerRole)}`,
    // A role that is gone needs no cut. One that we may not alter is seen as live, and its sessions end all the same.
    `DO $cut$ BEGIN
       ALTER ROLE ${name(plan.principal)} NOLOGIN PASSWORD NULL;
     EXCEPTION WHEN undefined_object OR insufficient_privilege THEN NULL;
     END $cut$`,
    'COMMIT',
  ].join(';\n');
}

/** The driver knows it from the server's BackendKeyData; its types leave it out. */
function backendPid(client: pg.PoolClient): number {
  const { processID } = client as pg.PoolClient & { processID?: unknown };
  if (typeof processID !== 'number') throw new Error('connection has no backend pid');
  return processID;
}
