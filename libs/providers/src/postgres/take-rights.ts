/**
 * Takes principals out of their policy roles. A login that the server let in just before the cut cannot be seen yet, nor ended, and its
 * client says how long (`post_auth_delay`); whatever it does once it is there is judged by the rights of that moment.
 */
import type pg from 'pg';
import type { CheckedPlan } from './checked-plan.js';
import { asIssuers } from './issuer.js';
import { send } from './pools.js';

const LOCK_TIMEOUT_MS = 500;
const STATEMENT_TIMEOUT_MS = 1_000;

/** In the order in which a create locks them. */
const REVOKE = `EXECUTE coalesce((
      SELECT format('REVOKE %s FROM %I', string_agg(m.roleid::regrole::text, ', ' ORDER BY m.roleid::regrole::text COLLATE "C"), made.principal)
      FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = made.principal), 'SELECT 1');`;

/**
 * One message, and a transaction for each: while it waits for one's policy roles, it holds nobody else's. Repeatable. Rejects with what
 * the driver or the server said: then nothing is known of any.
 */
export async function takeRights(pool: pg.Pool, plans: readonly CheckedPlan[]): Promise<void> {
  await send(await pool.connect(), plans.map(takeFrom).join(';\n'));
}

const takeFrom = ({ principal }: CheckedPlan): string =>
  [
    'BEGIN',
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`,
    asIssuers([principal], REVOKE),
    'COMMIT',
  ].join(';\n');
