/** What is known of approvals when a call is decided. */
import type { Approval } from './approval.js';

/** How approvals are asked for. */
export interface ApprovalRules {
  /** How long people have; never beyond the deadlines of the task and its ancestors. */
  expiresMs: number;
  /** Open requests of one agent: more of them would only teach people to say yes. */
  maxOpenPerAgent: number;
}
export const APPROVAL_RULES: ApprovalRules = { expiresMs: 900_000, maxOpenPerAgent: 20 };

export interface ApprovalFacts {
  rules: ApprovalRules;
  newApprovalId: string;
  /** Open requests of the agent, in all tasks. */
  openOfAgent: number;
  /** The one that this call has, whatever became of it. */
  given: Approval | null;
}
