/** Leases as operators see them. No secret is in any: the revoker never has one. */
import type { Revocation, RevokerLease } from '#events/revocation.js';
import type { Database } from '#store/database.js';

export const LEASE_STATES = ['live', 'due', 'cut', 'removed'] as const;
export type LeaseState = (typeof LEASE_STATES)[number];

export interface LeasesWanted {
  task?: string | undefined;
  agent?: string | undefined;
  target?: string | undefined;
  /** Absent: all but those that are removed. */
  state?: LeaseState | undefined;
  /** Id of the last one seen. */
  after?: string | undefined;
  limit: number;
}

export interface ShownLease {
  leaseId: string;
  taskId: string;
  generation: number;
  agent?: string;
  provider?: string;
  target?: string;
  principal?: string;
  rights?: string[];
  state: LeaseState;
  /** False: its credential was intended, and nothing was heard of it yet. */
  issued: boolean;
  notAfter?: string;
  revocation?: { cause: string; requestedAt: string; attempts: number };
}

const IN_STATE: Record<LeaseState | 'any', string> = {
  live: "state = 'known'",
  due: "state = 'due'",
  cut: "state = 'cut'",
  removed: "state = 'removed'",
  any: "state <> 'removed'",
};

/** By id, which is by age. */
export async function listLeases(
  db: Database,
  { task, agent, target, state, after, limit }: LeasesWanted,
): Promise<ShownLease[]> {
  const values: unknown[] = [after ?? '', limit];
  const is = (column: string, value: string | undefined) =>
    value === undefined ? [] : [`${column} = $${values.push(value)}`];
  // Only what is asked for: a plan that is kept cannot leave out what was not.
  const conditions = [
    'lease_id > $1',
    IN_STATE[state ?? 'any'],
    ...is('target', target),
    ...is("body->>'agent'", agent),
    ...is('task_id', task).map((under) => `lease_id IN (SELECT lease_id FROM lease_lineage WHERE ${under})`),
  ];
  const { rows } = await db.pool.query<{ body: RevokerLease }>(
    `SELECT body FROM lease WHERE ${conditions.join(' AND ')} ORDER BY lease_id LIMIT $2`,
    values,
  );
  return rows.map(({ body }) => shown(body));
}

function shown(lease: RevokerLease): ShownLease {
  const { leaseId, taskId, generation, agent, plan, issued } = lease;
  return {
    ...{ leaseId, taskId, generation },
    ...(agent === undefined ? {} : { agent }),
    ...(plan === null
      ? {}
      : {
          ...{ provider: plan.provider, target: plan.target, principal: plan.principal },
          ...{ rights: plan.rights, notAfter: plan.notAfter },
        }),
    state: lease.state === 'known' ? 'live' : lease.state,
    issued,
    ...('revocation' in lease ? { revocation: told(lease.revocation) } : {}),
  };
}

const told = ({ cause, requestedAtMs, attempts }: Revocation) => ({
  ...{ cause, attempts },
  requestedAt: new Date(requestedAtMs).toISOString(),
});
