/**
 * Agents that are revoked. Whoever hears of leases and whoever revokes an agent wait for each other, so that no lease is heard of
 * in between: the one reads who is revoked under a shared lock, the other says so under the exclusive one.
 */
import type { Tx } from '#store/database.js';

const LOCK = `hashtextextended('mayfly.agents.' || current_schema(), 0)`;

/** @returns by agent, the `ce_id` of what led to it. */
export async function revokedAgents(
  tx: Tx,
  agents: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  if (agents.length === 0) return new Map();
  // Two statements: the second sees what was committed while the first waited.
  const [, { rows }] = await Promise.all([
    tx.query({ name: 'share-agents', text: `SELECT pg_advisory_xact_lock_shared(${LOCK})` }),
    tx.query<{ agent: string; causedBy: string | null }>({
      name: 'read-revoked-agents',
      text: `SELECT substr(key, length('agent:') + 1) AS agent, caused_by AS "causedBy"
               FROM revocation WHERE key = ANY($1::text[])`,
      values: [agents.map((agent) => `agent:${agent}`)],
    }),
  ]);
  return new Map(rows.map(({ agent, causedBy }) => [agent, causedBy]));
}

export async function holdAgents(tx: Tx): Promise<void> {
  await tx.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
}
