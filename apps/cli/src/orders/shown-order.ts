/** What the revoker says of orders and leases. */
import { z } from 'zod';

const dueLease = z.object({
  leaseId: z.string(),
  taskId: z.string(),
  agent: z.string().optional(),
  target: z.string().optional(),
  cause: z.string(),
  attempts: z.int(),
  exposureMs: z.int(),
});
export const shownOrder = z.object({
  orderId: z.string(),
  scope: z.string(),
  subject: z.string().optional(),
  by: z.string(),
  reason: z.string(),
  orderedAt: z.string(),
  state: z.enum(['ordered', 'cutting', 'checking', 'proven']),
  leases: z.object({ found: z.int(), due: z.int(), unproven: z.int(), cut: z.int(), removed: z.int() }),
  due: z.array(dueLease),
});
export type ShownOrder = z.infer<typeof shownOrder>;

const shownLease = z.object({
  leaseId: z.string(),
  taskId: z.string(),
  generation: z.int(),
  agent: z.string().optional(),
  provider: z.string().optional(),
  target: z.string().optional(),
  principal: z.string().optional(),
  rights: z.array(z.string()).optional(),
  state: z.string(),
  issued: z.boolean(),
  notAfter: z.string().optional(),
  revocation: z.object({ cause: z.string(), requestedAt: z.string(), attempts: z.int() }).optional(),
});
export type ShownLease = z.infer<typeof shownLease>;
export const leasePage = z.object({ leases: z.array(shownLease), next: z.string().optional() });

export const reinstated = z.object({ agent: z.string(), agentGeneration: z.int(), changed: z.boolean() });
