/** Agents that were ever revoked, as the revoker told of them. All others are in good standing. */
import { GOOD_STANDING, hearOfAgent, type AgentStanding } from '#events/agent-standing.js';
import type { EventOf } from '#events/outbound.js';
import type { Tx } from '#store/database.js';
import type { Migration } from '#store/migrate.js';

export const standingMigrations: readonly Migration[] = [
  {
    id: 'broker-agents-1',
    sql: `
      -- Each revocation is a new generation of the agent's own.
      CREATE TABLE agent_standing (agent text PRIMARY KEY, generation int NOT NULL, revoked boolean NOT NULL);
    `,
  },
];

/** One by one: of one agent several may be heard together. */
export async function hearOfAgents(
  tx: Tx,
  events: readonly (EventOf<'agent.revoked'> | EventOf<'agent.reinstated'>)[],
): Promise<void> {
  for (const event of events) {
    const { agent } = event.data;
    const { rows } = await tx.query<AgentStanding>(
      `INSERT INTO agent_standing (agent, generation, revoked) VALUES ($1, $2, $3)
       ON CONFLICT (agent) DO UPDATE SET agent = excluded.agent RETURNING generation, revoked`,
      [agent, GOOD_STANDING.generation, GOOD_STANDING.revoked],
    );
    const { generation, revoked } = hearOfAgent(rows[0] ?? GOOD_STANDING, event);
    await tx.query('UPDATE agent_standing SET generation = $2, revoked = $3 WHERE agent = $1', [
      agent,
      generation,
      revoked,
    ]);
  }
}

/** Of the agents that were asked about. */
export class Standings {
  readonly #of: ReadonlyMap<string, AgentStanding>;

  /** @param known those of them that were ever revoked */
  constructor(agents: readonly string[], known: Readonly<Record<string, AgentStanding>>) {
    this.#of = new Map(agents.map((agent) => [agent, known[agent] ?? GOOD_STANDING]));
  }

  /** Requires that the agent was asked about: what was not read is no good standing. */
  of(agent: string): AgentStanding {
    const standing = this.#of.get(agent);
    if (standing === undefined) throw new Error('the standing of an agent was not read');
    return standing;
  }
}

/** SQL: the standing of the agents in this parameter (`$n`), by agent. */
export const standingOf = (agents: string) => `
  (SELECT coalesce(jsonb_object_agg(agent, jsonb_build_object('generation', generation, 'revoked', revoked)), '{}')
     FROM agent_standing WHERE agent = ANY(${agents}::text[]))`;
