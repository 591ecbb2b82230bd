/**
 * Looking at principals, and ending what they have open. Sessions are found by the role's oid, never by name: the name
 * of a dropped role's session is NULL. The oid is the role's, or the one the fence row remembers once the role is gone.
 */
import type pg from 'pg';
import type { Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { INCARNATION } from './sql.js';

export interface Look {
  observation: Observation;
  canLogin: boolean;
  /** Backends told to end by this look. They are counted in `observation.sessions`. */
  endedPids: number[];
  /** Backends of logins that are under way at the server, anybody's: they cannot be told apart before they are through. */
  loginPids: number[];
}

/**
 * From before its look at the role until it is seen in `pg_stat_activity` with its user, a login is in one transaction, and any
 * transaction has a lock on its own number. A worker of the server says no user either, but a database.
 */
const LOGINS = `SELECT coalesce(array_agg(l.pid), '{}') FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND a.usesysid IS NULL AND a.datid IS NULL`;

/** A remembered oid counts only while no other role has it: oids wrap around. */
const look = (ended: string) => `
SELECT p.principal, r.rolcanlogin AS can_login, count(s.pid)::int AS sessions, ${INCARNATION} AS incarnation,
       coalesce(array_agg(s.pid) FILTER (WHERE ${ended}), '{}') AS ended, (${LOGINS}) AS logins
FROM unnest($1::text[], $2::uuid[]) AS p (principal, lease_id)
LEFT JOIN pg_roles r ON r.rolname = p.principal
LEFT JOIN mayfly.fence f ON f.lease_id = p.lease_id AND NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid = f.role_oid)
LEFT JOIN pg_stat_activity s ON s.usesysid = coalesce(r.oid, f.role_oid)
GROUP BY p.principal, r.rolcanlogin`;
/** Prepared, because planning it takes the server seven times as long as answering it, and each cut looks four times. */
const LOOK = { name: 'mayfly-look', text: look('false') };
const END_AND_LOOK = {
  name: 'mayfly-end-and-look',
  // A role that somebody made a superuser is beyond us; trying would fail the look at all the others.
  text: look('s.pid IS NOT NULL AND r.rolsuper IS NOT TRUE AND pg_terminate_backend(s.pid)'),
};

/** @throws ProviderError */
export const lookAt = (pool: pg.Pool, plan: CheckedPlan): Promise<Look> => one(ask(pool, LOOK, [plan]));

/** Ends every session of the principals, and tells what was there before, in the plans' order. @throws ProviderError */
export const endAndLook = (server: Asked, plans: readonly CheckedPlan[]): Promise<Look[]> =>
  ask(server, END_AND_LOOK, plans);

/** A pool, or one connection of it. */
type Asked = Pick<pg.Pool, 'query'>;

interface Row {
  principal: string;
  can_login: boolean | null;
  sessions: number;
  incarnation: string;
  ended: number[];
  logins: number[];
}

async function ask(
  server: Asked,
  statement: { name: string; text: string },
  plans: readonly CheckedPlan[],
): Promise<Look[]> {
  const leases = new Map(plans.map(({ principal, leaseId }) => [principal, leaseId]));
  try {
    const values = [[...leases.keys()], [...leases.values()]];
    const { rows } = await server.query<Row>({ ...statement, values });
    const atMs = Date.now();
    const looks = new Map(rows.map((row) => [row.principal, lookOf(row, atMs)]));
    return plans.map(({ principal }) => {
      const seen = looks.get(principal);
      if (!seen) throw new Error('look left a principal out');
      return seen;
    });
  } catch (error) {
    throw asProviderError(error);
  }
}

const lookOf = (row: Row, atMs: number): Look => ({
  canLogin: row.can_login === true,
  endedPids: row.ended,
  loginPids: row.logins,
  observation: {
    state: stateOf(row),
    sessions: row.sessions,
    atMs,
    incarnation: row.incarnation,
    nodes: { seen: 1, expected: 1 },
  },
});

/** A session is access, whatever the role's state. */
function stateOf({ can_login: canLogin, sessions }: Row): Observation['state'] {
  if (canLogin === true || sessions > 0) return 'live';
  return canLogin === null ? 'absent' : 'disabled';
}

async function one(looks: Promise<Look[]>): Promise<Look> {
  const [only] = await looks;
  if (!only) throw new Error('look gave nothing');
  return only;
}
