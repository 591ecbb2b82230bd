/**
 * Clean: drops what a cut left. The access is gone already, so this may fail and be tried again for as long as it takes.
 */
import pg from 'pg';
import { ProviderError, type Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { asIssuers } from './issuer.js';
import { endAndLook, type Look } from './look.js';
import { send } from './pools.js';

const LOCK_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 4_000;
/** dependent_objects_still_exist */
const OWNS_SOMETHING = '2BP01';

/**
 * Several at once: what is looked at, dropped and looked at again takes one message each, however many there are.
 * @returns for each plan, in their order, what was seen last, or why its principal is still there:
 *   ERR_TARGET_REFUSED when it was not cut, or owns what cannot be reached from this database
 * @throws ProviderError where the target does not answer: nothing is known of any
 */
export async function clean(
  pool: pg.Pool,
  plans: readonly CheckedPlan[],
): Promise<(Observation | ProviderError)[]> {
  const before = await endAndLook(pool, plans);
  const isLeft = (look: Look | undefined) => look !== undefined && look.observation.state !== 'absent';
  const droppable = plans.filter((_plan, i) => isLeft(before[i]) && before[i]?.canLogin === false);
  if (droppable.length === 0) return before.map(refuseLogin);

  const together = await drop(pool, droppable).catch((error: unknown) => asProviderError(error));
  let after = await endAndLook(pool, plans);
  const reasons = new Map<CheckedPlan, ProviderError>();
  // One of them may be what failed, or nobody's to drop: each by itself tells which.
  for (const [i, plan] of plans.entries()) {
    if (!isLeft(after[i]) || !droppable.includes(plan)) continue;
    if (droppable.length === 1 && together !== undefined) reasons.set(plan, together);
    else await drop(pool, [plan]).catch((error: unknown) => reasons.set(plan, asProviderError(error)));
  }
  if (droppable.length > 1 && after.some(isLeft)) after = await endAndLook(pool, plans);
  await prune(pool);
  return after.map((look, i) => {
    const reason = plans[i] === undefined ? undefined : reasons.get(plans[i]);
    // Two revokers may clean one lease: who comes second meets a role that is gone or going.
    return reason !== undefined && isLeft(look) ? reason : refuseLogin(look);
  });
}

const refuseLogin = ({ canLogin, observation }: Look): Observation | ProviderError =>
  canLogin
    ? new ProviderError('ERR_TARGET_REFUSED', 'principal can still log in: cut it first')
    : observation;

async function drop(pool: pg.Pool, plans: readonly CheckedPlan[]): Promise<undefined> {
  const principals = plans.map(({ principal }) => principal);
  const messageOf = (body: string): string =>
    [
      'BEGIN',
      `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
      `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
      asIssuers(principals, body, NOT_OURS),
      'COMMIT',
    ].join(';\n');
  try {
    await send(await pool.connect(), messageOf(DROP));
  } catch (error) {
    const isOwner = error instanceof pg.DatabaseError && error.code === OWNS_SOMETHING;
    if (!isOwner || plans.length > 1) throw error;
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

/**
 * Fence rows whose lease can be renewed no more, nor its create land. Planned each time: a plan that was kept since the table was empty
 * reads ten thousand rows for each clean.
 */
async function prune(pool: pg.Pool): Promise<void> {
  await pool.query(PRUNE).catch((error: unknown) => {
    throw asProviderError(error);
  });
}

const PRUNE = `
DELETE FROM mayfly.fence WHERE lease_id IN (
  SELECT lease_id FROM mayfly.fence WHERE keep_until < now() ORDER BY keep_until LIMIT 100 FOR UPDATE SKIP LOCKED)`;
