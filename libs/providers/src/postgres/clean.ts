/**
 * Clean: drops what a cut left. The access is gone already, so this may fail and be tried again for as long as it takes.
 */
import pg from 'pg';
import { ProviderError, type Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { endAndLookAt } from './look.js';
import { send } from './pools.js';
import { identifier } from './sql.js';

const LOCK_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 4_000;
/** dependent_objects_still_exist */
const OWNS_SOMETHING = '2BP01';

/** @throws ProviderError ERR_TARGET_REFUSED when the principal was not cut, or owns what cannot be reached from this database */
export async function clean(pool: pg.Pool, plan: CheckedPlan, issuerRole: string): Promise<Observation> {
  const before = await endAndLookAt(pool, plan);
  if (before.canLogin)
    throw new ProviderError('ERR_TARGET_REFUSED', 'principal can still log in: cut it first');
  if (before.observation.state === 'absent') return before.observation;
  try {
    await drop(pool, plan, issuerRole);
  } catch (error) {
    // Two revokers may clean one lease: who comes second meets a role that is gone or going.
    const after = await endAndLookAt(pool, plan);
    if (after.observation.state !== 'absent') throw asProviderError(error);
    return after.observation;
  }
  await prune(pool);
  return (await endAndLookAt(pool, plan)).observation;
}

async function drop(pool: pg.Pool, plan: CheckedPlan, issuerRole: string): Promise<void> {
  const role = identifier(plan.principal);
  const begin = [
    'BEGIN',
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
    `SET LOCAL ROLE ${identifier(issuerRole)}`,
  ];
  const end = [`DROP ROLE IF EXISTS ${role}`, 'COMMIT'];
  try {
    await send(await pool.connect(), [...begin, ...end].join(';\n'));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === OWNS_SOMETHING)) throw error;
    // The creator holds only ADMIN on what it created, and gives itself the rest for this one transaction.
    const disown = [
      `GRANT ${role} TO ${identifier(issuerRole)} WITH INHERIT TRUE, SET TRUE`,
      `REASSIGN OWNED BY ${role} TO ${identifier(issuerRole)}`,
      `DROP OWNED BY ${role}`,
    ];
    await send(await pool.connect(), [...begin, ...disown, ...end].join(';\n'));
  }
}

/** Fence rows whose lease can be renewed no more, nor its create land. */
async function prune(pool: pg.Pool): Promise<void> {
  await pool.query(PRUNE).catch((error: unknown) => {
    throw asProviderError(error);
  });
}

const PRUNE = `
DELETE FROM mayfly.fence WHERE lease_id IN (
  SELECT lease_id FROM mayfly.fence WHERE keep_until < now() ORDER BY keep_until LIMIT 100 FOR UPDATE SKIP LOCKED)`;
