/**
 * Whether an agent may have credentials at all. Each revocation is a new generation of the agent's own: what it was lent before is of
 * a lower one, and stays dead when the agent is reinstated. Pure.
 */
import { unreachable } from './unreachable.js';
import type { EventOf } from './outbound.js';

export interface AgentStanding {
  /** 0: it was never revoked. */
  generation: number;
  revoked: boolean;
}

export const GOOD_STANDING: AgentStanding = { generation: 0, revoked: false };

/** What is heard late or twice changes nothing. */
export function hearOfAgent(
  standing: AgentStanding,
  event: EventOf<'agent.revoked'> | EventOf<'agent.reinstated'>,
): AgentStanding {
  switch (event.type) {
    case 'agent.revoked': {
      const { generationBelow: generation } = event.data;
      return generation > standing.generation ? { generation, revoked: true } : standing;
    }
    case 'agent.reinstated': {
      const { agentGeneration: generation } = event.data;
      return generation >= standing.generation ? { generation, revoked: false } : standing;
    }
    default:
      return unreachable(event);
  }
}

/** As a lease's intent says it: absent where the agent was never revoked. */
export const generationOf = ({ generation }: AgentStanding): { agentGeneration?: number } =>
  generation === 0 ? {} : { agentGeneration: generation };

/** Whether a lease of this generation may be lent on. */
export const isInStanding = (agentGeneration: number | undefined, standing: AgentStanding): boolean =>
  !standing.revoked && (agentGeneration ?? 0) === standing.generation;
