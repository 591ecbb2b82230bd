/**
 * The one message of a create, for several leases with the same rights. Role, membership and fence row of a lease commit
 * together or not at all; what the target refuses of one leaves the others as they are. The target's clock is compared with
 * createBy at the last moment.
 */
import type { CheckedCreate } from './checked-plan.js';
import { identifier, INCARNATION, literal } from './sql.js';

export interface RoleToCreate {
  plan: CheckedCreate;
  /** SCRAM verifier of its secret. */
  verifier: string;
}

const CONNECTION_LIMIT = 4;
const LOCK_TIMEOUT_MS = 1_000;
/** Raised by our own check of the target's clock. */
export const TOO_LATE = 'MF001';

/**
 * Requires checked plans, for everything interpolated has passed a pattern there, and the same rights in all of them: two
 * messages that lock policy roles in opposite order would wait for each other.
 * @param issuer the role that creates them. The connection goes on to act as it once the message is committed.
 */
export function createMessage(
  roles: readonly [RoleToCreate, ...RoleToCreate[]],
  issuer: string,
  leftMs: number,
): string {
  const timeoutMs = Math.ceil(leftMs);
  const createBy = new Date(Math.min(...roles.map(({ plan }) => plan.createByMs))).toISOString();
  return [
    'BEGIN',
    `SET LOCAL lock_timeout = ${Math.min(LOCK_TIMEOUT_MS, timeoutMs)}`,
    `SET LOCAL statement_timeout = ${timeoutMs}`,
    // Bounds the whole transaction, also where each statement is quick. The setting exists from 17 on.
    `SELECT set_config('transaction_timeout', '${timeoutMs}', true) WHERE current_setting('server_version_num')::int >= 170000`,
    // A login of ours may run no code at the target; a creator may. To let it become one, the server reads what all of them have made:
    // not again where it has become this one.
    `SELECT set_config('role', ${literal(issuer)}, false) WHERE current_user <> ${literal(issuer)}`,
    `DO $create$
DECLARE
  refused text := '';
  place text;
BEGIN
${roles.map(oneRole).join('\n')}
  IF clock_timestamp() >= ${literal(createBy)}::timestamptz THEN
    RAISE EXCEPTION 'createBy has passed' USING ERRCODE = '${TOO_LATE}';
  END IF;
  PERFORM set_config('mayfly.refused', refused, true);
END $create$`,
    `SELECT ${INCARNATION} AS incarnation, current_setting('mayfly.refused') AS refused`,
    'COMMIT',
  ].join(';\n');
}

/** The fence row comes last, so that it is held for the shortest time. What is refused is noted as a line `lease SQLSTATE constraint`. */
function oneRole({ plan, verifier }: RoleToCreate): string {
  const { leaseId, principal, rights, validUntil, keepFenceUntil } = plan;
  return `  BEGIN
    CREATE ROLE ${identifier(principal)} LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT ${CONNECTION_LIMIT} PASSWORD ${literal(verifier)} VALID UNTIL ${literal(validUntil)};
${rights
  // SET FALSE: a session that became the policy role would outlive its own role.
  .map((right) => `    GRANT ${identifier(right)} TO ${identifier(principal)} WITH INHERIT TRUE, SET FALSE;`)
  .join('\n')}
    INSERT INTO mayfly.fence (lease_id, principal, role_oid, keep_until)
      VALUES (${literal(leaseId)}, ${literal(principal)}, to_regrole(${literal(principal)}), ${literal(keepFenceUntil)});
  EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS place = CONSTRAINT_NAME;
    refused := refused || ${literal(leaseId)} || ' ' || SQLSTATE || ' ' || place || E'\\n';
  END;`;
}
