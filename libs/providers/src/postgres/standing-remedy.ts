/**
 * Lines of SQL that would take standing access away, for a person who reads them first. What only this principal has is revoked; what would
 * take something from others, or has to be thought about, stands there as a comment. Pure.
 */
import { unreachable } from '#events/unreachable.js';
import { quoted, quotedText } from './quoted.js';

/** One way to the data, as the server tells it; see `standing-sql.ts`. */
export interface WayRow {
  login: number;
  way: 'superuser' | 'replication' | 'server_files' | 'all_data' | 'owner' | 'grant' | 'public' | 'may_grant';
  through: string | null;
  first: string | null;
  rel: number | null;
  rights: string[] | null;
  grantor: string | null;
  owner: string | null;
}
export interface Membership {
  member: string;
  role: string;
  grantor: string | null;
}
export interface DefaultRights {
  grantee: string;
  maker: string;
  schema: string | null;
  rights: string[];
}
export interface Relation {
  schema: string;
  name: string;
}

export interface RemedyFacts {
  principal: string;
  /** It has BYPASSRLS. */
  seesAllRows: boolean;
  /** It has CREATEROLE, on a server where that gives any role away. */
  grantsAll: boolean;
  rows: readonly WayRow[];
  relations: ReadonlyMap<number, Relation>;
  memberships: readonly Membership[];
  defaults: readonly DefaultRights[];
}

export function remedyOf(facts: RemedyFacts): string[] {
  const name = quoted(facts.principal);
  const statements = [
    ...facts.rows.flatMap((row) => ofRow(row, name, facts.relations)),
    ...memberships(facts, name),
    ...(facts.grantsAll && facts.rows.some(({ way }) => way === 'may_grant')
      ? [`ALTER ROLE ${name} NOCREATEROLE;`]
      : []),
    ...(facts.seesAllRows ? [`ALTER ROLE ${name} NOBYPASSRLS;`] : []),
    ...defaults(facts, name),
  ];
  return [
    // Several ways may be ended by one. No quoted name breaks a line.
    ...[...new Set(statements)].flatMap((statement) => statement.split('\n')),
    `-- If nobody needs the account: it logs in no more, and open sessions end.`,
    `-- ALTER ROLE ${name} NOLOGIN;`,
    `-- SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = (SELECT oid FROM pg_roles WHERE rolname = ${quotedText(facts.principal)});`,
    `-- And once nobody has missed it: the first two in every database of the server, in this order, because the second drops what it still owns.`,
    `-- REASSIGN OWNED BY ${name} TO …;`,
    `-- DROP OWNED BY ${name};`,
    `-- DROP ROLE ${name};`,
  ];
}

/** One text for each statement, with what belongs to it on lines of their own. */
function ofRow(row: WayRow, name: string, relations: ReadonlyMap<number, Relation>): string[] {
  const relation = row.rel === null ? undefined : relations.get(row.rel);
  const table = relation === undefined ? '' : `${quoted(relation.schema)}.${quoted(relation.name)}`;
  const rights = (row.rights ?? []).join(', ');
  // What it has from a role goes with its membership.
  if (row.through !== null) return [];
  switch (row.way) {
    case 'superuser':
      return [`-- A superuser. Somebody has to stay one: decide who.\n-- ALTER ROLE ${name} NOSUPERUSER;`];
    case 'replication':
      return [`ALTER ROLE ${name} NOREPLICATION;`];
    case 'owner':
      return [
        `-- It owns the table: give that to a role that nobody logs in as.\n-- ALTER TABLE ${table} OWNER TO …;`,
      ];
    case 'public':
      return [
        `-- Everybody has this; it may be needed by others.\n-- REVOKE ${rights} ON TABLE ${table} FROM PUBLIC;`,
      ];
    case 'grant':
      return [asGrantor(row, `REVOKE ${rights} ON TABLE ${table} FROM ${name};`)];
    case 'server_files':
    case 'all_data':
    case 'may_grant':
      return [];
    default:
      return unreachable(row.way);
  }
}

/** A right goes only with whoever gave it; the owner's are anybody's to take who may speak for the owner. */
const asGrantor = ({ grantor, owner }: WayRow, statement: string): string =>
  grantor === null || grantor === owner
    ? statement
    : [`SET LOCAL ROLE ${quoted(grantor)};`, statement, `RESET ROLE;`].join('\n');

function memberships({ rows, memberships: all, principal }: RemedyFacts, name: string): string[] {
  const leading = new Set(rows.flatMap(({ first }) => first ?? []));
  return all
    .filter(({ member, role }) => member === principal && leading.has(role))
    .map(({ role, grantor }) => {
      const by = grantor === null ? '' : ` GRANTED BY ${quoted(grantor)}`;
      return `REVOKE ${quoted(role)} FROM ${name}${by};`;
    });
}

const defaults = ({ defaults: all, principal }: RemedyFacts, name: string): string[] =>
  all
    .filter(({ grantee }) => grantee === principal)
    .map(({ maker, schema, rights }) => {
      const where = schema === null ? '' : ` IN SCHEMA ${quoted(schema)}`;
      return `ALTER DEFAULT PRIVILEGES FOR ROLE ${quoted(maker)}${where} REVOKE ${rights.join(', ')} ON TABLES FROM ${name};`;
    });
