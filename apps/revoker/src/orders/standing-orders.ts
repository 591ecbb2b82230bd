/**
 * Orders that reach leases heard of later: of agents that were revoked, and of what was intended before a target, or everything, was.
 * Whoever hears of leases and whoever orders wait for each other, so that no lease is heard of in between: the one reads what was
 * ordered under a shared lock, the other writes it under the exclusive one.
 */
import type { CutCause } from '#events/causes.js';
import type { OutboundData } from '#events/outbound.js';
import type { Tx } from '#store/database.js';

const LOCK = `hashtextextended('mayfly.agents.' || current_schema(), 0)`;

type Intended = Pick<OutboundData<'lease.intended'>, 'agent' | 'agentGeneration' | 'target' | 'at'>;
interface Why {
  cause: CutCause;
  causedBy: string | null;
}
/** Why a lease is due as soon as it is heard of; null where nothing was ordered against it. */
export type Against = (lease: Intended) => Why | null;

interface Row {
  scope: 'agent' | 'target' | 'all';
  subject: string | null;
  /** Of an agent: null is all. */
  generationBelow: number | null;
  untilMs: number;
  causedBy: string | null;
}

/** Two statements sent at once: the second sees what was committed while the first waited. */
export async function readStanding(tx: Tx, leases: readonly Intended[]): Promise<Against> {
  if (leases.length === 0) return () => null;
  const agents = [...new Set(leases.map(({ agent }) => agent))];
  const fromMs = Math.min(...leases.map(({ at }) => Date.parse(at)));
  const [, { rows }] = await Promise.all([
    tx.query({ name: 'share-orders', text: `SELECT pg_advisory_xact_lock_shared(${LOCK})` }),
    tx.query<Row>({
      name: 'read-standing-orders',
      // Verifiers were told of agents, too, and after a restore that is all that is left.
      text: `SELECT 'agent' AS scope, agent AS subject, generation_below AS "generationBelow", 0::float8 AS "untilMs",
                    caused_by AS "causedBy"
               FROM revoked_agent WHERE agent = ANY($1::text[])
             UNION ALL
             SELECT 'agent', substr(key, length('agent:') + 1), generation_below, 0, caused_by
               FROM revocation WHERE key = ANY($2::text[])
             UNION ALL
             SELECT scope, subject, NULL, (extract(epoch FROM covers_until) * 1000)::float8, ce_id
               FROM revocation_order WHERE scope IN ('target', 'all') AND covers_until >= $3`,
      values: [agents, agents.map((agent) => `agent:${agent}`), new Date(fromMs).toISOString()],
    }),
  ]);
  return (lease) => {
    const row = rows.find((each) => reaches(each, lease));
    if (row === undefined) return null;
    return { cause: row.scope === 'agent' ? 'agent_revoked' : 'operator', causedBy: row.causedBy };
  };
}

function reaches({ scope, subject, generationBelow, untilMs }: Row, lease: Intended): boolean {
  if (scope === 'agent')
    return (
      subject === lease.agent && (generationBelow === null || (lease.agentGeneration ?? 0) < generationBelow)
    );
  return Date.parse(lease.at) <= untilMs && (scope === 'all' || subject === lease.target);
}

/** Until the commit nobody hears of a lease. */
export async function holdOrders(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}
