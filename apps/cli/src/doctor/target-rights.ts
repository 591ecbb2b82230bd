/** What Mayfly's two logins must be able to do at a PostgreSQL target, and what they must not (deploy/sample/target). */
import type { Client } from 'pg';
import { fail, ok } from './finding.js';
import type { Finding } from './finding.js';

/** Each question answers true when it is well. `$1` is the creator role. */
interface Right {
  says: string;
  sql: string;
}
const NO_MORE: Right = {
  says: 'is no superuser and makes no roles of its own accord',
  sql: 'SELECT NOT (rolsuper OR rolcreaterole OR rolbypassrls) AND $1 <> current_user AS holds FROM pg_roles WHERE rolname = current_user',
};
const ACTS: Right = {
  says: 'may act as the creator role, and is not it by default',
  sql: "SELECT pg_has_role(current_user, $1, 'SET') AND NOT pg_has_role(current_user, $1, 'USAGE') AS holds",
};
const CREATOR: Right = {
  says: 'the creator role makes roles, and logs in nowhere',
  sql: 'SELECT rolcreaterole AND NOT rolcanlogin AND NOT rolsuper AS holds FROM pg_roles WHERE rolname = $1',
};
const table = (says: string, privileges: readonly string[], holder = 'current_user'): Right => ({
  says,
  sql: `SELECT ${privileges
    .map((privilege) => `has_table_privilege(${holder}, 'mayfly.fence', '${privilege}')`)
    .join(' AND ')} AND $1 <> '' AS holds`,
});
const SIGNAL = "pg_has_role(current_user, 'pg_signal_backend', 'USAGE')";

const RIGHTS: Record<'mayfly_broker' | 'mayfly_revoker', readonly Right[]> = {
  mayfly_broker: [
    NO_MORE,
    ACTS,
    CREATOR,
    table('reads the fence', ['SELECT']),
    {
      says: 'the creator role fences what it makes, and cannot lift a fence',
      sql: `SELECT has_any_column_privilege($1, 'mayfly.fence', 'INSERT')
                   AND NOT has_any_column_privilege($1, 'mayfly.fence', 'UPDATE') AS holds`,
    },
    { says: "cannot end others' sessions", sql: `SELECT NOT ${SIGNAL} AND $1 <> '' AS holds` },
  ],
  mayfly_revoker: [
    NO_MORE,
    ACTS,
    table('sets and clears fences', ['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
    { says: 'ends sessions', sql: `SELECT ${SIGNAL} AND $1 <> '' AS holds` },
  ],
};

const FIX = 'run deploy/sample/target/10-rights.sql at the target as a superuser';

/** One finding for each login: all well, or the first right that is amiss. */
export async function rightsFinding(
  login: keyof typeof RIGHTS,
  client: Client,
  issuerRole: string,
): Promise<Finding> {
  const what = `target: rights of ${login}`;
  for (const { says, sql } of RIGHTS[login]) {
    const { rows } = await client.query<{ holds: boolean | null }>(sql, [issuerRole]);
    if (rows[0]?.holds !== true) return fail(what, `amiss: ${says}`, FIX);
  }
  return ok(what, 'all that is needed, and no more');
}

/** The creator must be able to lend each policy role that a dataset names. */
export async function policyRolesFinding(
  client: Client,
  issuerRole: string,
  policyRoles: readonly string[],
): Promise<Finding> {
  const what = 'target: policy roles';
  const { rows } = await client.query<{ role: string }>(
    `SELECT wanted.role FROM unnest($2::text[]) AS wanted (role)
      WHERE NOT EXISTS (
        SELECT FROM pg_auth_members AS lent
          JOIN pg_roles AS role ON role.oid = lent.roleid
          JOIN pg_roles AS member ON member.oid = lent.member
         WHERE role.rolname = wanted.role AND NOT role.rolcanlogin AND member.rolname = $1 AND lent.admin_option)`,
    [issuerRole, policyRoles],
  );
  if (rows.length === 0) return ok(what, policyRoles.join(', '));
  return fail(
    what,
    `cannot be lent: ${rows.map(({ role }) => role).join(', ')}`,
    `GRANT <role> TO ${issuerRole} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
  );
}
