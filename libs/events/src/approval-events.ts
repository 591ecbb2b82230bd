/** What is said of approvals, on the credential topic. */
import { z } from 'zod';
import { lineage } from './lineage.js';
import { REFUSAL_CODES } from './refusal.js';

const code = z.enum(REFUSAL_CODES);

/** @param common members that every event has */
export function approvalEvents<Common extends z.ZodRawShape>(common: Common) {
  const approval = { ...common, approvalId: z.string(), callId: z.string(), agent: z.string() };
  return {
    /** A call waits for people. `taskId`, `generation` and `callDigest` are what their word will be bound to. */
    'approval.requested': z.object({
      ...approval,
      tool: z.string(),
      dataset: z.string().optional(),
      action: z.string(),
      target: z.string(),
      callDigest: z.string(),
      policySet: z.string(),
      lineage,
      /** What policy asks for, such as `two-person`, and how many people that is. */
      approval: z.string(),
      needed: z.int().positive(),
      /** Who approves is in a group of each list. */
      groups: z.array(z.array(z.string())),
      /** Who may not approve: for whom the task runs, and who owns what asks. */
      notBy: z.array(z.string()),
      expiresAt: z.string(),
      /** What their word can truly be held to: one call with these arguments, or rights for a while. */
      binds: z.object({
        what: z.enum(['this_call', 'these_rights']),
        argumentsSha256: z.string().optional(),
        rights: z.array(z.string()),
        seconds: z.int().positive(),
      }),
      reasons: z.array(z.string()),
    }),
    'approval.granted': z.object({
      ...approval,
      by: z.string(),
      reason: z.string().optional(),
      granted: z.int().positive(),
      needed: z.int().positive(),
      callDigest: z.string(),
    }),
    /** The call that it is for is refused. */
    'approval.refused': z.object({ ...approval, by: z.string(), reason: z.string().optional() }),
    'approval.expired': z.object({
      ...approval,
      why: z.enum(['time', 'task_ended', 'task_changed', 'policy_changed', 'denied']),
    }),
    /** It was of use, once: for this lease. */
    'approval.consumed': z.object({
      ...approval,
      leaseId: z.string(),
      callDigest: z.string(),
      approvers: z.array(z.string()),
    }),
    /** With a lease, where it had come to one: that is to be cut. */
    'approval.withdrawn': z.object({
      ...approval,
      by: z.string(),
      reason: z.string().optional(),
      leaseId: z.string().optional(),
    }),
    /** Somebody who was authenticated may not say this of an approval, or not any more. */
    'approval.answer_rejected': z.object({
      ...approval,
      by: z.string(),
      answer: z.enum(['grant', 'refuse', 'withdraw']),
      code,
      reason: z.string(),
    }),
    /** An operator gave an approval alone. Always to be looked at. */
    'break_glass.used': z.object({
      ...approval,
      by: z.string(),
      reason: z.string(),
      callDigest: z.string(),
    }),
  } as const;
}
