/** What is to be made for a lease, as `lease.intended` says it before anything is done. It holds no secret. */
import { z } from 'zod';
import { uuidV7 } from './inbound.js';
import { tokenPlan } from './token-plan.js';

export const PROVIDER_KINDS = ['postgres', 'jwt', 'redis', 'kafka'] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

export const planSchema = z.object({
  leaseId: uuidV7,
  provider: z.enum(PROVIDER_KINDS),
  target: z.string(),
  principal: z.string(),
  rights: z.array(z.string()),
  createBy: z.string(),
  notAfter: z.string(),
  hardEnd: z.string(),
  /** Of kind `jwt`: all that the token says. */
  token: tokenPlan.optional(),
});
export type LeasePlan = z.infer<typeof planSchema>;
