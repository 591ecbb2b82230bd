/** What is said of operators' orders at the revoker, and of the agents and tasks that they concern. */
import { z } from 'zod';

export const ORDER_SCOPES = ['lease', 'task', 'agent', 'target', 'all'] as const;
export type OrderScope = (typeof ORDER_SCOPES)[number];

/** Why an order does nothing. */
export const ORDER_REFUSALS = [
  'ERR_NOT_ENTITLED',
  'ERR_LEASE_UNKNOWN',
  'ERR_TASK_UNKNOWN',
  'ERR_AGENT_UNKNOWN',
  'ERR_AGENT_NOT_REVOKED',
  'ERR_TARGET_UNKNOWN',
  'ERR_ORDER_ID_REUSED',
] as const;
export type OrderRefusalCode = (typeof ORDER_REFUSALS)[number];

/** `taskId` of what is said of no one task: of agents, of targets, of everything. */
export const NO_ONE_TASK = 'revocations';

const scope = z.enum(ORDER_SCOPES);
const order = {
  orderId: z.string(),
  scope,
  /** Id of the lease, task, agent or target; absent for everything. */
  subject: z.string().optional(),
};
const word = { by: z.string(), reason: z.string() };

/** @param common members of every event */
export const orderEvents = <C extends z.ZodRawShape>(common: C) => ({
  /**
   * A person orders that access be cut: told before anything is cut for it, and `causedBy` in all that is. Of a task, leases below
   * `generationBelow` are dead, and the broker raises the task's own above all that it has lent.
   */
  'revocation.ordered': z.object({
    ...common,
    ...order,
    ...word,
    generationBelow: z.int().positive().optional(),
  }),
  /** Of every lease that the order concerned the access is proven cut, as far as leases were heard of by now. */
  'revocation.proven': z.object({ ...common, ...order, leases: z.int().nonnegative() }),
  /** Somebody who was authenticated may not order this, or ordered it of what is not known. */
  'revocation.order_rejected': z.object({
    ...common,
    ...{ order: z.enum(['revoke', 'reinstate']), scope, subject: z.string().optional() },
    ...word,
    code: z.enum(ORDER_REFUSALS),
  }),
  /** What it was lent in lower generations of its own is dead, and it gets nothing until it is reinstated. */
  'agent.revoked': z.object({ ...common, agent: z.string(), generationBelow: z.int().positive(), ...word }),
  /** It gets credentials again, of this generation of its own. Nothing comes back to life. */
  'agent.reinstated': z.object({
    ...common,
    agent: z.string(),
    agentGeneration: z.int().positive(),
    ...word,
  }),
  /** The broker obeys (`actor`: who ordered): `generation` is the new one, leases of lower ones are dead, and the task goes on. */
  'task.revoked': z.object({ ...common, orderId: z.string(), reason: z.string() }),
});
