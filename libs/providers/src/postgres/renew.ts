/**
 * Renew: VALID UNTIL of a role that is there and may log in, moved forward in one message (protocol rule 8). It can bring nothing
 * back: an `ALTER ROLE … VALID UNTIL` gives no login, and what a cut has fenced is refused.
 */
import pg from 'pg';
import type { Log } from '#telemetry/log.js';
import type { RenewAnswer } from '../provider.js';
import type { CheckedRenewal } from './checked-plan.js';
import { asIssuers } from './issuer.js';
import { isServerRefusal, send } from './pools.js';
import { literal } from './sql.js';

const TIMEOUT_MS = 2_000;
const LOCK_TIMEOUT_MS = 1_000;
/** Raised by our own look at role and fence, and at the target's clock. */
const NOT_THERE = 'MF002';
const TOO_LATE = 'MF003';
/** Two renewals of one role at once: the second finds its row altered. Nothing is lost by asking again. */
const TRIES = 2;

/** Never rejects. */
export async function renew(pool: pg.Pool, plan: CheckedRenewal, log: Log): Promise<RenewAnswer> {
  for (let tries = 1; ; tries += 1) {
    try {
      await send(await pool.connect(), renewMessage(plan));
      return { answer: 'renewed' };
    } catch (error) {
      if (error instanceof pg.DatabaseError && error.code === 'XX000' && tries < TRIES) continue;
      return notRenewed(error, plan, log);
    }
  }
}

/**
 * Requires a checked plan. The look at role and fence comes after the ALTER, with the role's row in hand: a cut that is not seen then
 * waits for this message and takes the login of what it leaves. The fence is read as the login, for a creator may not.
 */
export function renewMessage({ leaseId, principal, validUntil, renewBy }: CheckedRenewal): string {
  const until = literal(validUntil);
  return [
    'BEGIN',
    `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
    `SET LOCAL statement_timeout = ${TIMEOUT_MS}`,
    `SELECT set_config('transaction_timeout', '${TIMEOUT_MS}', true) WHERE current_setting('server_version_num')::int >= 170000`,
    asIssuers(
      [principal],
      `IF EXISTS (SELECT FROM pg_roles WHERE rolname = made.principal AND rolvaliduntil < ${until}::timestamptz) THEN
      EXECUTE format('ALTER ROLE %I VALID UNTIL %L', made.principal, ${until});
    END IF;`,
      `PERFORM set_config('role', 'none', true);
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(principal)} AND rolcanlogin)
     OR NOT EXISTS (SELECT FROM mayfly.fence WHERE lease_id = ${literal(leaseId)} AND state = 'created') THEN
    RAISE EXCEPTION 'nothing is there to renew' USING ERRCODE = '${NOT_THERE}';
  END IF;
  IF clock_timestamp() >= ${literal(renewBy)}::timestamptz THEN
    RAISE EXCEPTION 'the lease is over' USING ERRCODE = '${TOO_LATE}';
  END IF;`,
    ),
    'COMMIT',
  ].join(';\n');
}

export type RenewRefusal =
  'ERR_LEASE_FENCED' | 'ERR_RENEWAL_TOO_LATE' | 'ERR_TARGET_BUSY' | 'ERR_TARGET_REFUSED';

function notRenewed(error: unknown, { leaseId }: CheckedRenewal, log: Log): RenewAnswer {
  if (!isServerRefusal(error)) {
    log.warn({ err: error, leaseId }, 'renewal was not answered');
    return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
  }
  const code = refusalOf(error.code ?? '');
  log.warn({ sqlState: error.code, code, leaseId }, 'renewal refused by target');
  return { answer: 'refused', code };
}

/** PostgreSQL appendix A: 55P03 lock_not_available, 40P01 deadlock_detected. */
function refusalOf(sqlState: string): RenewRefusal {
  if (sqlState === NOT_THERE) return 'ERR_LEASE_FENCED';
  if (sqlState === TOO_LATE) return 'ERR_RENEWAL_TOO_LATE';
  return sqlState === '55P03' || sqlState === '40P01' ? 'ERR_TARGET_BUSY' : 'ERR_TARGET_REFUSED';
}
