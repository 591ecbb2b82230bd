/**
 * Create: strict, one message, sent once (protocol rules 1 and 4). The role, its memberships and the fence row commit
 * together or not at all. The fence row is the last statement, so it is held for the shortest time, and the target's
 * clock is compared with createBy at the last moment.
 */
import pg from 'pg';
import type { Log } from '#telemetry/log.js';
import type { CreateAnswer } from '../provider.js';
import type { PostgresSettings } from './settings.js';
import type { CheckedCreate } from './checked-plan.js';
import { issuerOf } from './issuer.js';
import { isServerRefusal, send } from './pools.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';
import { identifier, INCARNATION, incarnationIn, literal } from './sql.js';

const CONNECTION_LIMIT = 4;
const LOCK_TIMEOUT_MS = 1_000;
const TRANSACTION_TIMEOUT_MS = 3_000;
/** Raised by our own check of the target's clock. */
const TOO_LATE = 'MF001';

/** Never rejects. After `none` the message may have landed or may land yet: the caller MUST NOT send the plan again. */
export async function create(
  pool: pg.Pool,
  plan: CheckedCreate,
  settings: PostgresSettings,
  log: Log,
): Promise<CreateAnswer> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    return notConnected(error, log);
  }
  const leftMs = Math.min(TRANSACTION_TIMEOUT_MS, plan.createByMs - Date.now());
  if (leftMs <= 0) {
    client.release();
    return { answer: 'refused', code: 'ERR_CREATE_TOO_LATE' };
  }
  const secret = randomSecret();
  const verifier = scramVerifier(secret, settings.scramIterations);
  try {
    const issuer = issuerOf(plan.leaseId, settings.issuerShards);
    const results = await send(client, createMessage(plan, verifier, issuer, leftMs));
    return {
      answer: 'created',
      incarnation: incarnationIn(results),
      credential: {
        kind: 'postgres',
        connection: { ...settings.connection, user: plan.principal, password: secret },
      },
    };
  } catch (error) {
    return notCreated(error, log);
  }
}

/** The one message. Requires a checked plan: everything interpolated has passed a pattern there. */
export function createMessage(
  { leaseId, principal, rights, createBy, validUntil, keepFenceUntil }: CheckedCreate,
  verifier: string,
  issuer: string,
  leftMs: number,
): string {
  const timeoutMs = Math.ceil(leftMs);
  return [
    'BEGIN',
    `SET LOCAL lock_timeout = ${Math.min(LOCK_TIMEOUT_MS, timeoutMs)}`,
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    // Bounds the whole transaction, also where each statement is quick. The setting exists from 17 on.
    `SELECT set_config('transaction_timeout', '${timeoutMs}', true) WHERE current_setting('server_version_num')::int >= 170000`,
    `SET LOCAL ROLE ${identifier(issuer)}`,
    `CREATE ROLE ${identifier(principal)} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS` +
      ` CONNECTION LIMIT ${CONNECTION_LIMIT} PASSWORD ${literal(verifier)} VALID UNTIL ${literal(validUntil)}`,
    // SET FALSE: a session that became the policy role would outlive its own role.
    ...rights.map(
      (right) => `GRANT ${identifier(right)} TO ${identifier(principal)} WITH INHERIT TRUE, SET FALSE`,
    ),
    `SELECT ${INCARNATION} AS incarnation`,
    `DO $fence$ BEGIN
       INSERT INTO mayfly.fence (lease_id, principal, role_oid, keep_until)
       SELECT ${literal(leaseId)}, rolname, oid, ${literal(keepFenceUntil)} FROM pg_roles WHERE rolname = ${literal(principal)};
       IF clock_timestamp() >= ${literal(createBy)}::timestamptz THEN
         RAISE EXCEPTION 'createBy has passed' USING ERRCODE = '${TOO_LATE}';
       END IF;
     END $fence$`,
    'COMMIT',
  ].join(';\n');
}

/** Nothing was sent. A server that refuses the login says so; of a server that does not answer nothing is known. */
function notConnected(error: unknown, log: Log): CreateAnswer {
  log.warn({ err: error }, 'no connection to create on');
  return isServerRefusal(error)
    ? { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' }
    : { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
}

function notCreated(error: unknown, log: Log): CreateAnswer {
  if (!isServerRefusal(error)) {
    log.warn({ err: error }, 'create was not answered');
    return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
  }
  const code = refusalOf(error);
  log.warn({ sqlState: error.code, code }, 'create refused by target');
  return { answer: 'refused', code };
}

export type CreateRefusal =
  | 'ERR_CREATE_TOO_LATE'
  | 'ERR_LEASE_FENCED'
  | 'ERR_PRINCIPAL_EXISTS'
  | 'ERR_TARGET_BUSY'
  | 'ERR_TARGET_MISCONFIGURED'
  | 'ERR_TARGET_REFUSED';

/** PostgreSQL appendix A: 42710 duplicate_object, 55P03 lock_not_available, 40P01 deadlock_detected, 42501, 42704, 42P01, 3F000: a right, a role or a table is missing. */
function refusalOf({ code, constraint }: pg.DatabaseError): CreateRefusal {
  if (code === TOO_LATE) return 'ERR_CREATE_TOO_LATE';
  if (code === '23505' && constraint === 'fence_pkey') return 'ERR_LEASE_FENCED';
  if (code === '23505' || code === '42710') return 'ERR_PRINCIPAL_EXISTS';
  if (code === '55P03' || code === '40P01') return 'ERR_TARGET_BUSY';
  if (code === '42501' || code === '42704' || code === '42P01' || code === '3F000')
    return 'ERR_TARGET_MISCONFIGURED';
  return 'ERR_TARGET_REFUSED';
}
