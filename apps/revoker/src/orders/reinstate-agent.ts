/** An operator lets an agent have credentials again: of a new generation of its own, so that nothing from before comes back. */
import { roleRefusal, type OrderRefusal } from '#events/revocation-order.js';
import { NO_ONE_TASK } from '#events/order-events.js';
import type { EventOf } from '#events/outbound.js';
import type { Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { credentialRecord } from '../publish.js';
import type { RevokerParts } from '../revoker-parts.js';
import { readAgent, saveAgent } from './agent-rows.js';
import { rejectedRecord } from './rejected-record.js';
import { holdOrders } from './standing-orders.js';

export interface Reinstatement {
  agent: string;
  by: string;
  reason: string;
}
/** `changed`: it was revoked before. */
export type Reinstated = { queued: QueuedRecord[] } & (
  { is: 'taken'; agentGeneration: number; changed: boolean } | { is: 'refused'; refusal: OrderRefusal }
);

/** Requires that whoever says so is authenticated. */
export async function reinstateAgent(
  tx: Tx,
  { agent, by, reason }: Reinstatement,
  { catalogue }: Pick<RevokerParts, 'catalogue'>,
): Promise<Reinstated> {
  const nowMs = Date.now();
  await holdOrders(tx);
  const { generation, revoked } = await readAgent(tx, agent);
  const refusal = roleRefusal(by, catalogue.operators) ?? (generation === 0 ? NEVER_REVOKED : null);
  if (refusal !== null) {
    const told = rejectedRecord({ order: 'reinstate', scope: 'agent', subject: agent, by }, refusal, nowMs);
    return { is: 'refused', refusal, queued: await enqueue(tx, [told]) };
  }
  if (revoked === false) return { is: 'taken', agentGeneration: generation, changed: false, queued: [] };
  const event: EventOf<'agent.reinstated'> = {
    type: 'agent.reinstated',
    data: {
      ...{ taskId: NO_ONE_TASK, generation: 0, actor: by, at: new Date(nowMs).toISOString() },
      ...{ agent, agentGeneration: generation, by, reason },
    },
  };
  const told = credentialRecord(event, nowMs);
  await saveAgent(tx, agent, { generation, revoked: false }, null);
  return { is: 'taken', agentGeneration: generation, changed: true, queued: await enqueue(tx, [told]) };
}

const NEVER_REVOKED: OrderRefusal = {
  code: 'ERR_AGENT_NOT_REVOKED',
  reason: 'the agent was never revoked',
};
