/** What is said of renewals: members of the events on the credential topic, and what the agent is told on the delivery topic. */
import { z } from 'zod';
import { check } from './check.js';
import { REFUSAL_CODES } from './refusal.js';

const code = z.enum(REFUSAL_CODES);
const common = {
  leaseId: z.string(),
  callId: z.string(),
  agent: z.string(),
  checks: z.array(check),
  policySet: z.string(),
};

/** It ends later than before, at the target too; its rights are the same. `renewals`: so many by now, this one among them. */
export const leaseRenewed = {
  ...common,
  notAfter: z.string(),
  previousNotAfter: z.string(),
  renewals: z.int().positive(),
  /** Digest of the kept decision inputs. */
  inputs: z.string(),
};

/** It runs out as it was. `inputs` where policy was asked. */
export const renewalRefused = {
  ...common,
  code,
  reasons: z.array(z.string()),
  inputs: z.string().optional(),
};

export const renewalNotices = {
  /** Of a credential that stays as it is. A token comes anew instead: `credential.delivered` of the same lease. */
  'lease.renewed': z.object({
    taskId: z.string(),
    leaseId: z.string(),
    agent: z.string(),
    notAfter: z.string(),
  }),
  'lease.renewal_refused': z.object({
    taskId: z.string(),
    leaseId: z.string(),
    agent: z.string(),
    code,
    reasons: z.array(z.string()),
  }),
} as const;
