/**
 * Who could reach what, asked of the catalogs alone, which every login may read. Membership is followed as the server follows it: rights
 * pass on where it is inherited, and where the member may become the role (`SET ROLE`, all the way from the login); whoever may pass a
 * role on can give it to itself. What is asked is a little wider than what is really open, never narrower: a right on a table and the right to
 * use its schema count together, even where no single role has both.
 */

/** Each membership, as it works. Before version 16 it was the member's own business whether it inherits, and CREATEROLE gave any role away. */
const edges = (version: number): string =>
  version >= 160_000
    ? `SELECT member, roleid AS role, inherit_option AS inherits, set_option AS sets, admin_option AS admin
         FROM pg_auth_members UNION ALL ${OWNER_EDGE}`
    : `SELECT m.member, m.roleid, r.rolinherit, true, m.admin_option
         FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
       UNION ALL SELECT r.oid, o.oid, false, false, true FROM pg_roles r JOIN pg_roles o ON o.oid <> r.oid AND NOT o.rolsuper
        WHERE r.rolcreaterole
       UNION ALL ${OWNER_EDGE}`;
/** Its owner is a member of this one, and is not listed. */
const OWNER_EDGE = `SELECT d.datdba, o.oid, true, false, false FROM pg_database d JOIN pg_roles o ON o.rolname = 'pg_database_owner'
         WHERE d.datname = current_database()`;

/** What holds rows of users. */
const RELATIONS = `relation (rel, kind, owner, nsp, acl) AS MATERIALIZED (
  SELECT c.oid, c.relkind, c.relowner, c.relnamespace, c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')`;
/** Rights that were granted on them, on some of their columns among them. */
const ENTRIES = `entry (rel, grantee, grantor, privilege) AS MATERIALIZED (
  SELECT r.rel, a.grantee, a.grantor, a.privilege_type FROM relation r CROSS JOIN LATERAL aclexplode(r.acl) a
   WHERE a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
   UNION
  SELECT r.rel, a.grantee, a.grantor, a.privilege_type FROM relation r JOIN pg_attribute t ON t.attrelid = r.rel AND NOT t.attisdropped
   CROSS JOIN LATERAL aclexplode(t.attacl) a WHERE a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE'))`;

/** `$1`: the last name of the page before. Whoever may log in to this database, or copy the server. */
export const LOGINS = `
SELECT oid, rolname AS name, rolsuper AS superuser, rolreplication AS replication, rolbypassrls AS "bypassesRls",
       (rolcreaterole AND current_setting('server_version_num')::int < 160000) AS "grantsAll",
       (rolvaliduntil IS NULL OR rolvaliduntil = 'infinity') AS "neverExpires"
  FROM pg_roles
 WHERE rolcanlogin AND rolname > $1
   AND (rolsuper OR rolreplication OR has_database_privilege(oid, current_database(), 'CONNECT'))
 ORDER BY rolname LIMIT 500`;

/**
 * `$1`, `$2`: numbers of governed actions, and for each a right. What these rights are on: with children and partitions, with what a view of them
 * shows (`below`), and with views of others that show it in turn (`above`).
 */
export const governed = (version: number): string => `
WITH RECURSIVE edge (member, role, inherits, sets, admin) AS MATERIALIZED (${edges(version)}), ${RELATIONS}, ${ENTRIES},
lent (n, role) AS (
  SELECT g.n, r.oid FROM unnest($1::int[], $2::text[]) AS g (n, name) JOIN pg_roles r ON r.rolname = g.name
   UNION SELECT l.n, e.role FROM lent l JOIN edge e ON e.member = l.role AND e.inherits),
given (n, rel, privilege) AS (
  SELECT l.n, e.rel, e.privilege FROM lent l JOIN entry e ON e.grantee = l.role
   UNION SELECT l.n, r.rel, p FROM lent l JOIN relation r ON r.owner = l.role
   CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p),
part (n, rel, privilege) AS (
  SELECT * FROM given UNION SELECT p.n, i.inhrelid, p.privilege FROM part p JOIN pg_inherits i ON i.inhparent = p.rel),
shows (view, rel, invoker) AS MATERIALIZED (
  SELECT DISTINCT v.rel, d.refobjid, coalesce((SELECT bool_or(o.option_value::boolean) FROM pg_class c, pg_options_to_table(c.reloptions) o
                                                WHERE c.oid = v.rel AND o.option_name = 'security_invoker'), false)
    FROM relation v JOIN pg_rewrite w ON w.ev_class = v.rel
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
    JOIN relation r ON r.rel = d.refobjid AND r.rel <> v.rel
   WHERE v.kind IN ('v', 'm')),
below (n, rel) AS (
  SELECT n, rel FROM part WHERE privilege = 'SELECT' UNION SELECT b.n, s.rel FROM below b JOIN shows s ON s.view = b.rel),
above (n, rel) AS (
  SELECT n, rel FROM part WHERE privilege = 'SELECT'
   UNION SELECT a.n, s.view FROM above a JOIN shows s ON s.rel = a.rel WHERE NOT s.invoker)
SELECT g.n, g.rel, n.nspname AS schema, c.relname AS name, array_agg(DISTINCT g.privilege) AS rights
  FROM (SELECT * FROM part UNION SELECT n, rel, 'SELECT' FROM below UNION SELECT n, rel, 'SELECT' FROM above) g
  JOIN pg_class c ON c.oid = g.rel JOIN pg_namespace n ON n.oid = c.relnamespace
 GROUP BY g.n, g.rel, n.nspname, c.relname`;

/**
 * `$1`: logins, `$2`: relations. One row for each way that a login has to a relation, or to all of them (`rel` null). `through`: the role that it has it
 * from; `first`: the membership of its own that leads there. `granted`: it would have to give itself a role first.
 */
export const ways = (version: number): string => `
WITH RECURSIVE edge (member, role, inherits, sets, admin) AS MATERIALIZED (${edges(version)}), ${RELATIONS}, ${ENTRIES},
can (login, role, first, can_set, granted) AS (
  SELECT l, l, NULL::oid, true, false FROM unnest($1::oid[]) l
   UNION
  SELECT c.login, e.role, coalesce(c.first, e.role), (c.can_set AND e.sets) OR e.admin,
         c.granted OR NOT (e.inherits OR (c.can_set AND e.sets))
    FROM can c JOIN edge e ON e.member = c.role
   WHERE e.role <> c.login AND (e.inherits OR e.admin OR (c.can_set AND e.sets))),
used (login, role, first, can_set, granted) AS MATERIALIZED (
  SELECT login, role, first, bool_or(can_set), bool_and(granted) FROM can GROUP BY login, role, first),
open (login, nsp) AS MATERIALIZED (
  SELECT u.login, n.oid FROM used u JOIN pg_namespace n ON n.nspowner = u.role
   UNION SELECT u.login, n.oid FROM used u JOIN pg_namespace n ON true
          JOIN LATERAL aclexplode(n.nspacl) a ON a.privilege_type = 'USAGE' AND a.grantee IN (0, u.role)),
way (login, way, role, first, granted, rel, rights, grantor) AS (
  SELECT u.login, 'superuser', u.role, u.first, u.granted, NULL::oid, NULL::text[], NULL::oid
    FROM used u JOIN pg_roles r ON r.oid = u.role AND r.rolsuper WHERE u.can_set
   UNION ALL
  SELECT l, 'replication', l, NULL, false, NULL, ARRAY['SELECT'], NULL
    FROM unnest($1::oid[]) l JOIN pg_roles r ON r.oid = l AND r.rolreplication AND NOT r.rolsuper
   UNION ALL
  SELECT u.login, w.way, u.role, u.first, u.granted, NULL, w.rights, NULL
    FROM used u JOIN pg_roles r ON r.oid = u.role
    JOIN (VALUES ('pg_read_server_files', 'server_files', ARRAY['SELECT']),
                 ('pg_write_server_files', 'server_files', NULL), ('pg_execute_server_program', 'server_files', NULL),
                 ('pg_read_all_data', 'all_data', ARRAY['SELECT']),
                 ('pg_write_all_data', 'all_data', ARRAY['INSERT', 'UPDATE', 'DELETE'])) AS w (name, way, rights) ON w.name = r.rolname
   UNION ALL
  SELECT u.login, 'owner', u.role, u.first, u.granted, r.rel, NULL, NULL
    FROM used u JOIN relation r ON r.owner = u.role AND r.rel = ANY($2::oid[])
    JOIN open o ON o.login = u.login AND o.nsp = r.nsp
   UNION ALL
  SELECT u.login, 'grant', u.role, u.first, u.granted, r.rel, array_agg(DISTINCT e.privilege), e.grantor
    FROM used u JOIN entry e ON e.grantee = u.role JOIN relation r ON r.rel = e.rel AND r.rel = ANY($2::oid[]) AND r.owner <> u.role
    JOIN open o ON o.login = u.login AND o.nsp = r.nsp
   GROUP BY u.login, u.role, u.first, u.granted, r.rel, e.grantor
   UNION ALL
  SELECT o.login, 'public', o.login, NULL, false, r.rel, array_agg(DISTINCT e.privilege), e.grantor
    FROM open o JOIN relation r ON r.nsp = o.nsp AND r.rel = ANY($2::oid[]) JOIN entry e ON e.rel = r.rel AND e.grantee = 0
   GROUP BY o.login, r.rel, e.grantor)
SELECT w.login, CASE WHEN w.granted THEN 'may_grant' ELSE w.way END AS way, nullif(t.rolname, l.rolname) AS through, f.rolname AS first,
       w.rel, w.rights, (SELECT g.rolname FROM pg_roles g WHERE g.oid = w.grantor) AS grantor,
       (SELECT o.rolname FROM relation r JOIN pg_roles o ON o.oid = r.owner WHERE r.rel = w.rel) AS owner
  FROM way w JOIN pg_roles l ON l.oid = w.login JOIN pg_roles t ON t.oid = w.role LEFT JOIN pg_roles f ON f.oid = w.first
 ORDER BY w.login, way, through NULLS FIRST, w.rel, grantor`;

/** `$1`: names. Memberships of their own, with who gave them; before version 16 that is for show only. */
export const MEMBERSHIPS = `
SELECT m.rolname AS member, r.rolname AS role, g.rolname AS grantor
  FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid LEFT JOIN pg_roles g ON g.oid = a.grantor
 WHERE m.rolname = ANY($1::text[]) ORDER BY 1, 2, 3`;

/** `$1`: names. What they will be granted on tables that are not made yet. */
export const DEFAULTS = `
SELECT g.rolname AS grantee, o.rolname AS maker, n.nspname AS schema, array_agg(a.privilege_type ORDER BY a.privilege_type) AS rights
  FROM pg_default_acl d CROSS JOIN LATERAL aclexplode(d.defaclacl) a JOIN pg_roles g ON g.oid = a.grantee
  JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
 WHERE d.defaclobjtype = 'r' AND g.rolname = ANY($1::text[]) AND a.grantee <> d.defaclrole
 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`;
