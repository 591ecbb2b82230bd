/**
 * Clean: drops what a cut left. The access is gone already, so this may fail and be tried again for as long as it takes.
 */
import pg from 'pg';
import { ProviderError, type Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { asIssuers } from './issuer.js';
import { endAndLookAt } from './look.js';
import { send } from './pools.js';

const LOCK_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 4_000;
/** dependent_objects_still_exist */
const OWNS_SOMETHING = '2BP01';

/** @throws ProviderError ERR_TARGET_REFUSED when the principal was not cut, or owns what cannot be reached from this database */
export async function clean(pool: pg.Pool, plan: CheckedPlan): Promise<Observation> {
  const before = await endAndLookAt(pool, plan);
  if (before.canLogin)
    throw new ProviderError('ERR_TARGET_REFUSED', 'principal can still log in: cut it first');
  if (before.observation.state === 'absent') return before.observation;
  try {
    await drop(pool, plan);
  } catch (error) {
    // Two revokers may clean one lease: who comes second meets a role that is gone or going.
    const after = await endAndLookAt(pool, plan);
    if (after.observation.state !== 'absent') throw asProviderError(error);
    return after.observation;
  }
  await prune(pool);
  return (await endAndLookAt(pool, plan)).observation;
}

async function drop(pool: pg.Pool, { principal }: CheckedPlan): Promise<void> {
  const messageOf = (body: string): string =>
    [
      'BEGIN',
      `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
      `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
      asIssuers([principal], body, NOT_OURS),
      'COMMIT',
    ].join(';\n');
  try {
    await send(await pool.connect(), messageOf(DROP));
  } catch (error) {
    if (!(error instanceof pg.DatabaseError && error.code === OWNS_SOMETHING)) throw error;
    await send(await pool.connect(), messageOf(DISOWN + DROP));
  }
}

const DROP = "EXECUTE format('DROP ROLE IF EXISTS %I', made.principal);";
/** The creator holds only ADMIN on what it created, and gives itself the rest for this one transaction. */
const DISOWN = `
    EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', made.principal, made.issuer);
    EXECUTE format('REASSIGN OWNED BY %I TO %I', made.principal, made.issuer);
    EXECUTE format('DROP OWNED BY %I', made.principal);
    `;
const NOT_OURS = `IF NOT FOUND THEN
    RAISE insufficient_privilege USING MESSAGE = 'no issuer may drop the principal';
  END IF;`;

/** Fence rows whose lease can be renewed no more, nor its create land. */
async function prune(pool: pg.Pool): Promise<void> {
  await pool.query(PRUNE).catch((error: unknown) => {
    throw asProviderError(error);
  });
}

const PRUNE = `
DELETE FROM mayfly.fence WHERE lease_id IN (
  SELECT lease_id FROM mayfly.fence WHERE keep_until < now() ORDER BY keep_until LIMIT 100 FOR UPDATE SKIP LOCKED)`;
