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

/** By id, which is by age. */
export async function listLeases(
  db: Database,
  { task, agent, target, state, after, limit }: LeasesWanted,
): Promise<ShownLease[]> {
  const { rows } = await db.pool.query<{ body: RevokerLease }>(
    `SELECT body FROM lease
      WHERE lease_id > $1
        AND ($2::text IS NULL OR lease_id IN (SELECT lease_id FROM lease_lineage WHERE task_id = $2))
        AND ($3::text IS NULL OR body->>'agent' = $3)
        AND ($4::text IS NULL OR target = $4)
        AND CASE WHEN $5::text IS NULL THEN state <> 'removed' ELSE state = $5 END
      ORDER BY lease_id LIMIT $6`,
    [
      after ?? '',
      ...[task ?? null, agent ?? null, target ?? null],
      state === 'live' ? 'known' : (state ?? null),
      limit,
    ],
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
