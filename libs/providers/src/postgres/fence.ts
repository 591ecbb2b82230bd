/**
 * The first half of a cut: fence rows and NOLOGIN, committed together, for as many leases as wait, and what is open told to end. Whoever stands in the
 * way is ended: a paused create, or a principal that holds its own role's row.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Log } from '#telemetry/log.js';
import type { ProviderError } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { asIssuers } from './issuer.js';
import { endAndLook, type Look } from './look.js';
import { isServerRefusal, sendBoth, type Pools } from './pools.js';
import { literal } from './sql.js';

/** A create holds its fence row for about a millisecond. Whoever holds it longer is paused, or means to. */
const BLOCKER_PATIENCE_MS = 50;
const FENCE_TIMEOUT_MS = 1_500;
/** Of one message, where each is overtaken by a renewal. */
const TRIES = 3;

/**
 * One result for each plan: what was open when its fence stood, and was told to end. One lease that the target refuses does not keep the others
 * from their cut: they are then sent one by one, which is safe because a fence may be set twice.
 */
export async function setFences(
  pools: Pools,
  plans: readonly CheckedPlan[],
  log: Log,
  tries = 1,
): Promise<(ProviderError | Look)[]> {
  try {
    return await setTogether(pools, plans, log);
  } catch (error) {
    if (isOvertaken(error) && tries < TRIES) return await setFences(pools, plans, log, tries + 1);
    if (plans.length === 1 || !isServerRefusal(error)) return plans.map(() => asProviderError(error));
    const results: (ProviderError | Look)[] = [];
    for (const plan of plans) results.push(...(await setFences(pools, [plan], log)));
    return results;
  }
}

/**
 * Somebody altered one of the roles in the moment before: a renewal. The server says so with its own "tuple concurrently updated", and
 * has no code for it but XX000 (internal_error). It has undone everything; the next time it sees what is there by now.
 */
const isOvertaken = (error: unknown): boolean => error instanceof pg.DatabaseError && error.code === 'XX000';

async function setTogether(pools: Pools, plans: readonly CheckedPlan[], log: Log): Promise<Look[]> {
  const client = await pools.cut.connect();
  // Read before the connection goes back to the pool.
  const pid = backendPid(client);
  const fence = sendBoth(client, fenceMessage(plans), (fenced) => endAndLook(fenced, plans));
  const answered = new AbortController();
  const guard = endBlockers(pools.guard, pid, answered.signal, log);
  const { answer } = await fence.finally(() => answered.abort());
  await guard;
  return answer;
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

/** Requires checked plans. */
export function fenceMessage(plans: readonly CheckedPlan[]): string {
  // Sorted, so that two revokers never wait for each other crosswise; once each, as one INSERT demands.
  const leases = [...new Map(plans.map((plan) => [plan.leaseId, plan])).values()].toSorted((a, b) =>
    a.leaseId < b.leaseId ? -1 : 1,
  );
  const rows = leases.map(
    ({ leaseId, principal, keepFenceUntil }) =>
      `(${literal(leaseId)}, ${literal(principal)}, 'cut', ${literal(keepFenceUntil)})`,
  );
  return [
    'BEGIN',
    `SET LOCAL lock_timeout = ${FENCE_TIMEOUT_MS}`,
    `SET LOCAL statement_timeout = ${FENCE_TIMEOUT_MS}`,
    // A fence that a crash of the server could lose is none.
    `SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') IN ('off', 'local')`,
    `INSERT INTO mayfly.fence AS f (lease_id, principal, state, keep_until) VALUES ${rows.join(', ')}
     ON CONFLICT (lease_id) DO UPDATE SET state = 'cut', at = clock_timestamp(), keep_until = greatest(f.keep_until, excluded.keep_until)
     WHERE f.state <> 'cut' OR f.keep_until < excluded.keep_until`,
    // A statement of its own: it sees the role of a create that the fence had to wait for.
    asIssuers(
      leases.map(({ principal }) => principal),
      TAKE_LOGIN,
    ),
    'COMMIT',
  ].join(';\n');
}

/** A role that is gone needs no cut. One that we may not alter is seen as live afterwards, and its sessions end all the same. */
const TAKE_LOGIN = `BEGIN EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL', made.principal);
    EXCEPTION WHEN undefined_object OR insufficient_privilege THEN NULL; END;`;

/** The driver knows it from the server's BackendKeyData; its types leave it out. */
function backendPid(client: pg.PoolClient): number {
  const { processID } = client as pg.PoolClient & { processID?: unknown };
  if (typeof processID !== 'number') throw new Error('connection has no backend pid');
  return processID;
}
