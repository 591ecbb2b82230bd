/** What Mayfly's two logins must be able to do at a PostgreSQL target, and what they must not (deploy/sample/target). */
import type { Client } from 'pg';
import { fail, ok } from './finding.js';
import type { Finding } from './finding.js';

/** Each question answers true when it is well. */
interface Right {
  says: string;
  sql: string;
}
/** The same of each issuer, which is `$1`. */
const MAKES_ROLES: Right = {
  says: 'makes roles, and logs in nowhere',
  sql: 'SELECT rolcreaterole AND NOT rolcanlogin AND NOT rolsuper AS holds FROM pg_roles WHERE rolname = $1',
};
const FENCES: Right = {
  says: 'fences what it makes, and cannot lift a fence',
  sql: `SELECT has_schema_privilege($1, 'mayfly', 'USAGE')
               AND has_any_column_privilege($1, 'mayfly.fence', 'INSERT')
               AND NOT has_any_column_privilege($1, 'mayfly.fence', 'UPDATE') AS holds`,
};
const IS_ACTED_AS: Right = {
  says: 'may be acted as, and is not so by default',
  sql: "SELECT pg_has_role(current_user, $1, 'SET') AND NOT pg_has_role(current_user, $1, 'USAGE') AND $1 <> current_user AS holds",
};

const NO_MORE: Right = {
  says: 'is no superuser and makes no roles of its own accord',
  sql: 'SELECT NOT (rolsuper OR rolcreaterole OR rolbypassrls) AS holds FROM pg_roles WHERE rolname = current_user',
};
const table = (says: string, privileges: readonly string[]): Right => ({
  says,
  sql: `SELECT ${privileges
    .map((privilege) => `has_table_privilege('mayfly.fence', '${privilege}')`)
    .join(' AND ')} AS holds`,
});
const SIGNAL = "pg_has_role(current_user, 'pg_signal_backend', 'USAGE')";

const RIGHTS: Record<
  'mayfly_broker' | 'mayfly_revoker',
  { own: readonly Right[]; issuers: readonly Right[] }
> = {
  mayfly_broker: {
    own: [
      NO_MORE,
      table('reads the fence', ['SELECT']),
      { says: "cannot end others' sessions", sql: `SELECT NOT ${SIGNAL} AS holds` },
    ],
    issuers: [IS_ACTED_AS, MAKES_ROLES, FENCES],
  },
  mayfly_revoker: {
    own: [
      NO_MORE,
      table('sets and clears fences', ['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
      { says: 'ends sessions', sql: `SELECT ${SIGNAL} AS holds` },
    ],
    issuers: [IS_ACTED_AS],
  },
};

const FIX = 'run deploy/sample/target/10-rights.sql at the target as a superuser';
const FIX_ISSUERS = `${FIX}, or set issuerShards in targets.yaml to the number of issuers that the target has`;

/** One finding for each login: all well, or the first right that is amiss. */
export async function rightsFinding(
  login: keyof typeof RIGHTS,
  client: Client,
  issuers: readonly string[],
): Promise<Finding> {
  const what = `target: rights of ${login}`;
  const { own, issuers: ofIssuers } = RIGHTS[login];
  for (const { says, sql } of own) if (!(await holds(client, sql))) return fail(what, `amiss: ${says}`, FIX);
  for (const issuer of issuers) {
    if (!(await holds(client, 'SELECT true AS holds FROM pg_roles WHERE rolname = $1', [issuer])))
      return fail(what, `role ${issuer} is missing`, FIX_ISSUERS);
    for (const { says, sql } of ofIssuers)
      if (!(await holds(client, sql, [issuer]))) return fail(what, `amiss: ${issuer} ${says}`, FIX);
  }
  return ok(what, 'all that is needed, and no more');
}

async function holds(client: Client, sql: string, values: string[] = []): Promise<boolean> {
  const { rows } = await client.query<{ holds: boolean | null }>(sql, values);
  return rows[0]?.holds === true;
}

/** Every issuer must be able to lend each policy role that a dataset names. */
export async function policyRolesFinding(
  client: Client,
  issuers: readonly string[],
  policyRoles: readonly string[],
): Promise<Finding> {
  const what = 'target: policy roles';
  const { rows } = await client.query<{ role: string; by: string[] }>(
    `SELECT wanted.role, array_agg(issuer.name ORDER BY issuer.name) AS by
       FROM unnest($2::text[]) AS wanted (role), unnest($1::text[]) AS issuer (name)
      WHERE NOT EXISTS (
        SELECT FROM pg_auth_members AS lent
          JOIN pg_roles AS role ON role.oid = lent.roleid
          JOIN pg_roles AS member ON member.oid = lent.member
         WHERE role.rolname = wanted.role AND NOT role.rolcanlogin AND member.rolname = issuer.name AND lent.admin_option)
      GROUP BY wanted.role ORDER BY min(array_position($2::text[], wanted.role))`,
    [issuers, policyRoles],
  );
  if (rows.length === 0) return ok(what, policyRoles.join(', '));
  return fail(
    what,
    `cannot be lent: ${rows.map(({ role, by }) => (by.length === issuers.length ? role : `${role} by ${by.join(' and ')}`)).join(', ')}`,
    `GRANT <role> TO ${issuers.join(', ')} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
  );
}
