/** One of the checks of a decision, as its event names it. */
import { z } from 'zod';

export const check = z.object({
  check: z.string(),
  ok: z.boolean(),
  policies: z.array(z.string()).optional(),
  reason: z.string().optional(),
});
export type Check = z.infer<typeof check>;
