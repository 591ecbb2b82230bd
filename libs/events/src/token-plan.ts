/**
 * What a token will say, as it stands in the plan of its lease: pure and without a secret. Issuer and time of issue are the
 * signer's; its id is the lease's, and its end is that of the lease.
 */
import { z } from 'zod';
import { lineage } from './lineage.js';

/** RFC 8693 §4.1: outermost who acts now, inside those who delegated to it. */
export interface ActorChain {
  sub: string;
  act?: ActorChain | undefined;
}
/** As deep as chains may be: a token with a longer one is refused by whoever checks it. */
export const ACTORS_MAX = 4;

const actorChain: z.ZodType<ActorChain> = z.object({
  sub: z.string(),
  get act() {
    return actorChain.optional();
  },
});

export const tokenPlan = z.object({
  audience: z.string(),
  /** On whose behalf. */
  subject: z.string(),
  agent: z.string(),
  /** Absent: the agent was never revoked. */
  agentGeneration: z.int().positive().optional(),
  /** RFC 7638 thumbprint of the agent's pinned proof key: the token is of use to its holder only. */
  jkt: z.string(),
  task: z.string(),
  tool: z.string(),
  dataset: z.string().optional(),
  actions: z.array(z.string()).min(1),
  lineage,
  act: actorChain,
  /** Of the call: the token is for these arguments alone. */
  argumentsSha256: z.string().optional(),
  /** Its place in a Token Status List. */
  status: z.object({ uri: z.string(), idx: z.int().nonnegative() }).optional(),
});
export type TokenPlan = z.infer<typeof tokenPlan>;
