/**
 * What Mayfly's two logins must be able to do at a PostgreSQL target, and what they must not (deploy/sample/target). Catalogs are asked by
 * oid: by name the server would refuse to answer where a schema is missing or closed.
 */
import type { Client } from 'pg';
import type { TargetFinding, TargetUser } from '../target-finding.js';

/** The expression is true when it is well; in those of an issuer `issuer` is its name. */
interface Right {
  says: string;
  sql: string;
  /** What it is that anything else says. */
  amiss: 'ERR_TARGET_RIGHT_MISSING' | 'ERR_TARGET_RIGHT_TOO_MUCH';
}
/** A question about what is not there is answered with null: then it is not so, and not too much. */
const needs = (says: string, sql: string): Right => ({
  says,
  sql: `(${sql}) IS TRUE`,
  amiss: 'ERR_TARGET_RIGHT_MISSING',
});
const mustNot = (says: string, sql: string): Right => ({
  says,
  sql: `(${sql}) IS NOT TRUE`,
  amiss: 'ERR_TARGET_RIGHT_TOO_MUCH',
});

const SCHEMA = "(SELECT oid FROM pg_namespace WHERE nspname = 'mayfly')";
const FENCE = `(SELECT oid FROM pg_class WHERE relname = 'fence' AND relnamespace = ${SCHEMA})`;
const PLPGSQL = "(SELECT oid FROM pg_language WHERE lanname = 'plpgsql')";
const SIGNAL = "pg_has_role(current_user, 'pg_signal_backend', 'USAGE')";
const own = (attributes: string) => `(SELECT ${attributes} FROM pg_roles WHERE rolname = current_user)`;
const its = (attributes: string) => `(SELECT ${attributes} FROM pg_roles WHERE rolname = issuer)`;
const may = (privilege: string) =>
  `has_schema_privilege(${SCHEMA}, 'USAGE') AND has_table_privilege(${FENCE}, '${privilege}')`;

const IS_ACTED_AS = needs('may be acted as', "pg_has_role(current_user, issuer, 'SET')");
const IS_NOT_BY_DEFAULT = mustNot(
  'is acted as by default',
  "pg_has_role(current_user, issuer, 'USAGE') OR issuer = current_user",
);
const NO_MORE = mustNot(
  'is a superuser, makes roles of its own accord, or passes row filters',
  own('rolsuper OR rolcreaterole OR rolbypassrls'),
);

const RIGHTS: Record<TargetUser, { own: readonly Right[]; ofIssuers: readonly Right[] }> = {
  broker: {
    own: [NO_MORE, needs('reads the fence', may('SELECT')), mustNot("ends others' sessions", SIGNAL)],
    ofIssuers: [
      IS_ACTED_AS,
      IS_NOT_BY_DEFAULT,
      needs('makes roles', its('rolcreaterole')),
      mustNot('logs in, or is a superuser', its('rolcanlogin OR rolsuper')),
      needs(
        'fences what it makes',
        `has_schema_privilege(issuer, ${SCHEMA}, 'USAGE') AND has_any_column_privilege(issuer, ${FENCE}, 'INSERT')`,
      ),
      mustNot('lifts a fence', `has_any_column_privilege(issuer, ${FENCE}, 'UPDATE')`),
      needs('uses plpgsql', `has_language_privilege(issuer, ${PLPGSQL}, 'USAGE')`),
    ],
  },
  revoker: {
    own: [
      NO_MORE,
      ...['SELECT', 'INSERT', 'UPDATE', 'DELETE'].map((privilege) =>
        needs(`sets and clears fences (${privilege})`, may(privilege)),
      ),
      needs('ends sessions', SIGNAL),
      needs('uses plpgsql', `has_language_privilege(${PLPGSQL}, 'USAGE')`),
    ],
    ofIssuers: [IS_ACTED_AS, IS_NOT_BY_DEFAULT],
  },
};

const FIX = 'run deploy/sample/target/10-rights.sql at the target as a superuser';
const FIX_ISSUERS = `${FIX}, or set issuerShards in targets.yaml to the number of issuers that the target has`;

/** Two questions, however many rights there are: a target may be far away. */
export async function rightFindings(
  client: Client,
  user: TargetUser,
  names: readonly string[],
): Promise<TargetFinding[]> {
  const { own: ownRights, ofIssuers } = RIGHTS[user];
  const [self] = await answersTo(client, ownRights, 'current_user AS role');
  const there = await answersTo(
    client,
    ofIssuers,
    'issuer AS role',
    'FROM (SELECT rolname AS issuer FROM pg_roles WHERE rolname = ANY ($1)) AS issuers',
    [names],
  );
  return [
    ...(self === undefined ? [] : amissOf(self, ownRights)),
    ...names.flatMap((issuer) => {
      const answers = there.find(({ role }) => role === issuer);
      return answers === undefined ? [missing(issuer)] : amissOf(answers, ofIssuers);
    }),
  ];
}

interface Answers {
  role: string;
  /** In the order of the rights. */
  holds: boolean[];
}

async function answersTo(
  client: Client,
  rights: readonly Right[],
  role: string,
  from = '',
  values: unknown[] = [],
): Promise<Answers[]> {
  const holds = rights.map(({ sql }) => sql).join(', ');
  const { rows } = await client.query<Answers>(`SELECT ${role}, ARRAY[${holds}] AS holds ${from}`, values);
  return rows;
}

const amissOf = ({ role, holds }: Answers, rights: readonly Right[]): TargetFinding[] =>
  rights
    .filter((_right, i) => holds[i] !== true)
    .map(({ says, amiss }) => ({
      code: amiss,
      what: `${amiss === 'ERR_TARGET_RIGHT_MISSING' ? 'not so' : 'too much'}: ${role} ${says}`,
      how: FIX,
    }));

const missing = (issuer: string): TargetFinding => ({
  code: 'ERR_TARGET_RIGHT_MISSING',
  what: `role ${issuer} is missing`,
  how: FIX_ISSUERS,
});

/** Every issuer must be able to lend each policy role that a dataset names. One finding for each role: the others can be lent. */
export async function policyRoleFindings(
  client: Client,
  names: readonly string[],
  policyRoles: readonly string[],
): Promise<TargetFinding[]> {
  const { rows } = await client.query<{ role: string; by: string[] }>(
    `SELECT wanted.role, array_agg(issuer.name ORDER BY issuer.name) AS by
       FROM unnest($2::text[]) AS wanted (role), unnest($1::text[]) AS issuer (name)
      WHERE NOT EXISTS (
        SELECT FROM pg_auth_members AS lent
          JOIN pg_roles AS role ON role.oid = lent.roleid
          JOIN pg_roles AS member ON member.oid = lent.member
         WHERE role.rolname = wanted.role AND NOT role.rolcanlogin AND member.rolname = issuer.name AND lent.admin_option)
      GROUP BY wanted.role ORDER BY min(array_position($2::text[], wanted.role))`,
    [names, policyRoles],
  );
  return rows.map(({ role, by }) => ({
    code: 'ERR_TARGET_POLICY_ROLE',
    what: `${role} cannot be lent${by.length === names.length ? '' : ` by ${by.join(' and ')}`}: it is missing, may log in, or its lenders lack ADMIN`,
    how: `CREATE ROLE ${role} NOLOGIN with the rights to lend, where there is none; GRANT ${role} TO ${names.join(', ')} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`,
    right: role,
  }));
}
