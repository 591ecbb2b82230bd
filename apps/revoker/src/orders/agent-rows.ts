/** Agents that were ever revoked, as rows. Written under the lock of orders. */
import type { AgentStanding } from '#events/agent-standing.js';
import type { Tx } from '#store/database.js';

/** `revoked` null: verifiers were told, and this database has forgotten, for it was restored, what came of it. */
export interface KnownAgent {
  generation: number;
  revoked: boolean | null;
}

export async function readAgent(tx: Tx, agent: string): Promise<KnownAgent> {
  const { rows } = await tx.query<KnownAgent>(
    `SELECT greatest(a.generation_below, r.generation_below, 0) AS generation,
            CASE WHEN a.generation_below >= coalesce(r.generation_below, 0) THEN a.is_revoked END AS revoked
       FROM (SELECT $1::text AS agent) AS asked
       LEFT JOIN revoked_agent AS a USING (agent) LEFT JOIN revocation AS r ON r.key = 'agent:' || asked.agent`,
    [agent],
  );
  return rows[0] ?? { generation: 0, revoked: null };
}

/** @param causedBy of its revocation; null: as before */
export async function saveAgent(
  tx: Tx,
  agent: string,
  { generation, revoked }: AgentStanding,
  causedBy: string | null,
): Promise<void> {
  await tx.query(
    `INSERT INTO revoked_agent (agent, generation_below, is_revoked, caused_by) VALUES ($1, $2, $3, $4)
     ON CONFLICT (agent) DO UPDATE SET generation_below = excluded.generation_below, is_revoked = excluded.is_revoked,
       caused_by = coalesce(excluded.caused_by, revoked_agent.caused_by)`,
    [agent, generation, revoked, causedBy],
  );
}
