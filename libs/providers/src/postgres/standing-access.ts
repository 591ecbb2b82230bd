/**
 * Standing access at a PostgreSQL server: logins that could reach the tables behind the catalogue's policy roles, however they come to it. Read from
 * the catalogs of one database, in pages, with no right that a login has not anyway.
 */
import type pg from 'pg';
import type { GovernedAction, Reach, StandingAccess, StandingWay } from '#events/standing-access.js';
import { asProviderError } from './errors.js';
import { leaseIdOf } from '../principal-name.js';
import {
  remedyOf,
  type DefaultRights,
  type Membership,
  type Relation,
  type WayRow,
} from './standing-remedy.js';
import { DEFAULTS, governed as governedSql, LOGINS, MEMBERSHIPS, ways as waysSql } from './standing-sql.js';

interface Login {
  oid: number;
  name: string;
  superuser: boolean;
  replication: boolean;
  bypassesRls: boolean;
  /** It may make itself a member of any role. */
  grantsAll: boolean;
  neverExpires: boolean;
}
interface GovernedRow extends Relation {
  n: number;
  rel: number;
  rights: string[];
}

/** What a governed action does to a relation. */
interface Touched {
  action: GovernedAction;
  rights: ReadonlySet<string>;
}

const AT_ONCE = 50;
/** Mayfly's logins, as 10-rights.sql makes them, and such as a rotation makes beside them. */
const OWN = /^mayfly_(broker|revoker)(_|$)/;
const READING = 'SELECT';

/** @param own the login that asks. @throws ProviderError */
export async function* standingAccess(
  pool: pg.Pool,
  { namespace, own }: { namespace: string; own: string },
  governed: readonly GovernedAction[],
): AsyncGenerator<StandingAccess> {
  try {
    const { rows: versions } = await pool.query<{ version: number }>(
      `SELECT current_setting('server_version_num')::int AS version`,
    );
    const version = versions[0]?.version ?? 0;
    const { relations, touched } = await readGoverned(pool, version, governed);
    for (let after = ''; ;) {
      const { rows } = await pool.query<Login>(LOGINS, [after]);
      // Of our principals a sweep takes care.
      const others = rows.filter(({ name }) => leaseIdOf(namespace, name) === null);
      for (let i = 0; i < others.length; i += AT_ONCE)
        for (const found of await lookAt(
          pool,
          version,
          others.slice(i, i + AT_ONCE),
          relations,
          touched,
          governed,
        ))
          if (!isOwn(found, own)) yield found;
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.name;
    }
  } catch (error) {
    throw asProviderError(error);
  }
}

/** They may pass policy roles on, which is what they are for; if they can do more, somebody gave them that. */
const isOwn = ({ principal, how }: StandingAccess, own: string): boolean =>
  (principal === own || OWN.test(principal)) && how.every(({ way }) => way === 'may_grant');

async function readGoverned(pool: pg.Pool, version: number, governed: readonly GovernedAction[]) {
  const lent = governed.flatMap(({ rights }, n) => rights.map((right) => ({ n, right })));
  const { rows } = await pool.query<GovernedRow>(governedSql(version), [
    lent.map(({ n }) => n),
    lent.map(({ right }) => right),
  ]);
  const relations = new Map<number, Relation>();
  const touched = new Map<number, Touched[]>();
  for (const { n, rel, schema, name, rights } of rows) {
    const action = governed[n];
    const own = action === undefined ? [] : rights.filter((right) => (right === READING) === action.reads);
    if (action === undefined || own.length === 0) continue;
    relations.set(rel, { schema, name });
    touched.set(rel, [...(touched.get(rel) ?? []), { action, rights: new Set(own) }]);
  }
  return { relations, touched };
}

async function lookAt(
  pool: pg.Pool,
  version: number,
  logins: readonly Login[],
  relations: ReadonlyMap<number, Relation>,
  touched: ReadonlyMap<number, readonly Touched[]>,
  governed: readonly GovernedAction[],
): Promise<StandingAccess[]> {
  const { rows } = await pool.query<WayRow>(waysSql(version), [
    logins.map(({ oid }) => oid),
    [...relations.keys()],
  ]);
  const reached = logins.flatMap((login) => {
    const own = essential(rows.filter((row) => row.login === login.oid));
    const counting = own.filter((row) => actionsOf(row, touched, governed).length > 0);
    return counting.length === 0 ? [] : [{ login, rows: counting }];
  });
  if (reached.length === 0) return [];

  const names = reached.map(({ login }) => login.name);
  const { rows: memberships } = await pool.query<Membership>(MEMBERSHIPS, [names]);
  const { rows: defaults } = await pool.query<DefaultRights>(DEFAULTS, [names]);
  return reached.map(({ login, rows: own }) => ({
    principal: login.name,
    reaches: reachesOf(own.flatMap((row) => actionsOf(row, touched, governed))),
    how: [...waysOf(own, relations), ...(seesAllRows(login) ? [{ way: 'bypass_rls' as const }] : [])],
    neverExpires: login.neverExpires,
    remedy: remedyOf({
      ...{ principal: login.name, seesAllRows: seesAllRows(login), grantsAll: login.grantsAll },
      ...{ rows: own, relations, memberships, defaults },
    }),
  }));
}

const seesAllRows = ({ bypassesRls, superuser }: Login) => bypassesRls && !superuser;

/** To a superuser nothing else matters. */
function essential(rows: readonly WayRow[]): readonly WayRow[] {
  const superuser = rows.filter(({ way, through }) => way === 'superuser' && through === null);
  return superuser.length > 0 ? superuser : rows;
}

/** Rights of null are all there are; a relation of null is every one. */
function actionsOf(
  { rel, rights }: WayRow,
  touched: ReadonlyMap<number, readonly Touched[]>,
  governed: readonly GovernedAction[],
): GovernedAction[] {
  if (rel === null)
    return governed.filter(
      ({ reads }) => rights === null || rights.some((right) => (right === READING) === reads),
    );
  const here = touched.get(rel) ?? [];
  return here
    .filter((each) => rights === null || rights.some((right) => each.rights.has(right)))
    .map(({ action }) => action);
}

function reachesOf(actions: readonly GovernedAction[]): Reach[] {
  const byDataset = new Map<string, Set<string>>();
  for (const { dataset, action } of actions)
    byDataset.set(dataset, (byDataset.get(dataset) ?? new Set()).add(action));
  return [...byDataset]
    .map(([dataset, set]) => ({ dataset, actions: [...set].sort() }))
    .sort((a, b) => (a.dataset < b.dataset ? -1 : 1));
}

/** Once each, whoever granted it. */
function waysOf(rows: readonly WayRow[], relations: ReadonlyMap<number, Relation>): StandingWay[] {
  const ways = new Map<string, StandingWay>();
  for (const { way, through, rel, rights } of rows) {
    const relation = rel === null ? undefined : relations.get(rel);
    const key = JSON.stringify([way, through, rel]);
    const all = [...new Set([...(ways.get(key)?.rights ?? []), ...(rights ?? [])])].sort();
    ways.set(key, {
      way,
      ...(through === null ? {} : { through }),
      ...(relation === undefined ? {} : { object: `${relation.schema}.${relation.name}` }),
      ...(all.length === 0 ? {} : { rights: all }),
    });
  }
  return [...ways.values()];
}
