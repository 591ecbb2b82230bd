/** What stands around the tables of the log, as PostgreSQL's own catalogues have it: any role may read them. */
import type { Tx } from '#store/database.js';

export const GUARDED_TABLES = ['entry', 'payload', 'tile', 'checkpoint', 'cosignature', 'tree_head'] as const;
export type GuardedTable = (typeof GUARDED_TABLES)[number];

export interface GuardSeen {
  schema: string;
  owner: string;
  /** The auditor's own role: the one that looks. */
  writer: string;
  isOwnerSuperuser: boolean;
  /** Roles that the writer is or may become although it must not: `superuser`, the owner, one that writes all data. */
  writerMayBe: string[];
  tables: SeenTable[];
  triggers: SeenTrigger[];
  /** Rewrite rules on these tables. */
  rules: { table: string; name: string }[];
  rights: SeenRight[];
  eventTriggers: SeenEventTrigger[];
  /** Entries of the log. */
  size: bigint;
}

export interface SeenTable {
  name: string;
  /** Of a partition of `entry`: where it ends; null of a table. */
  upper: bigint | null;
  isDetaching: boolean;
  /** Row security hides rows. */
  hasRowSecurity: boolean;
}

export interface SeenTrigger {
  table: string;
  name: string;
  /** `tgenabled`: `A` fires always, `O` not in a replica, `D` never. */
  fires: string;
  /** Its function refuses: it was not replaced by one that lets all pass. */
  refuses: boolean;
}

export interface SeenRight {
  table: string;
  /** `PUBLIC` for everybody. */
  role: string;
  privilege: string;
  /** null: on the whole table. */
  column: string | null;
}

export interface SeenEventTrigger {
  name: string;
  fires: string;
  /** It guards this schema. */
  isOfSchema: boolean;
}

type Reader = Pick<Tx, 'query'>;

/** Requires a session of the auditor's own role. */
export async function lookAtGuard(db: Reader, schema: string): Promise<GuardSeen> {
  const read = async <T extends object>(sql: string): Promise<T[]> =>
    (await db.query<T>(sql, [schema, [...GUARDED_TABLES]])).rows;
  const [roles] = await read<Pick<GuardSeen, 'owner' | 'writer' | 'isOwnerSuperuser' | 'writerMayBe'>>(ROLES);
  if (roles === undefined) throw new TypeError('there is no such schema');
  const { rows } = await db.query<{ size: bigint }>('SELECT size FROM tree_head');
  return {
    schema,
    ...roles,
    tables: await read(TABLES),
    triggers: await read(TRIGGERS),
    rules: await read(RULES),
    rights: await read(RIGHTS),
    eventTriggers: await read(EVENT_TRIGGERS),
    size: rows[0]?.size ?? 0n,
  };
}

/** $1: the schema; $2: the tables. A partition counts as a table of its own. */
const GUARDED = `guarded AS (
  SELECT c.oid, c.relname, c.relowner, c.relacl, c.relrowsecurity, c.relpartbound, i.inhdetachpending, i.inhparent IS NOT NULL AS is_part
    FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
   WHERE $1 = (SELECT nspname FROM pg_namespace WHERE oid = coalesce(p.relnamespace, c.relnamespace))
     AND c.relkind IN ('r', 'p') AND coalesce(p.relname, c.relname) = ANY ($2::text[]))`;

const ROLES = `
  SELECT n.nspowner::regrole::text AS owner, current_user::text AS writer, o.rolsuper AS "isOwnerSuperuser",
         ARRAY(SELECT CASE WHEN w.rolsuper THEN 'superuser' ELSE r.rolname END::text FROM pg_roles r, pg_roles w
                WHERE w.rolname = current_user AND (r.oid = n.nspowner OR r.rolname = 'pg_write_all_data')
                  AND pg_has_role(current_user, r.oid, 'MEMBER') ORDER BY 1) AS "writerMayBe"
    FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner WHERE n.nspname = $1 AND $2::text[] IS NOT NULL`;

const TABLES = `WITH ${GUARDED}
  SELECT relname::text AS name, substring(pg_get_expr(relpartbound, oid) FROM 'TO \\(''?(\\d+)')::bigint AS upper,
         coalesce(inhdetachpending, false) AS "isDetaching", relrowsecurity AS "hasRowSecurity" FROM guarded ORDER BY 1`;

const TRIGGERS = `WITH ${GUARDED}
  SELECT relname::text AS table, tgname::text AS name, tgenabled::text AS fires, prosrc ~ 'RAISE EXCEPTION' AS refuses
    FROM guarded g JOIN pg_trigger t ON t.tgrelid = g.oid JOIN pg_proc p ON p.oid = t.tgfoid
   WHERE p.pronamespace <> 'pg_catalog'::regnamespace ORDER BY 1, 2`;

const RULES = `WITH ${GUARDED}
  SELECT relname::text AS table, rulename::text AS name FROM guarded g JOIN pg_rewrite r ON r.ev_class = g.oid ORDER BY 1, 2`;

const RIGHTS = `WITH ${GUARDED}, acl AS (
    SELECT relname, relowner, NULL::name AS col, a.* FROM guarded, aclexplode(relacl) a
    UNION ALL
    SELECT relname, relowner, attname, a.* FROM guarded g JOIN pg_attribute t ON t.attrelid = g.oid, aclexplode(t.attacl) a)
  SELECT relname::text AS table, coalesce(r.rolname, 'PUBLIC')::text AS role, privilege_type AS privilege, col::text AS column
    FROM acl LEFT JOIN pg_roles r ON r.oid = grantee WHERE grantee <> relowner ORDER BY 1, 2, 3, 4`;

const EVENT_TRIGGERS = `
  SELECT evtname::text AS name, evtenabled::text AS fires, strpos(prosrc, quote_literal($1)) > 0 AS "isOfSchema"
    FROM pg_event_trigger e JOIN pg_proc p ON p.oid = e.evtfoid WHERE evtname LIKE 'mayfly_log_%' AND $2::text[] IS NOT NULL ORDER BY 1`;
