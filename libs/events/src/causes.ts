/** Why access ends. Closed lists: a cause is given no other meaning once it was told. */

/** Why a lease's access is cut. The first cause heard is kept. */
export const CUT_CAUSES = [
  'task_ended',
  'deadline',
  'parent_ended',
  'expired',
  'abandoned',
  'suspended',
  'amended',
  'rekeyed',
  'approval_withdrawn',
  'agent_revoked',
  'operator',
  'returned',
  'parked',
  'vanished',
  'orphan',
] as const;
export type CutCause = (typeof CUT_CAUSES)[number];

/** Why a task is suspended. */
export const SUSPENSION_CAUSES = [
  'parked',
  /** A topic was made anew, and with it what was said of the task may be gone. Its orchestrator's next word resumes it. */
  'topic_recreated',
  /** What is done in the task is too far from what was declared (`drift.ts`). A person lets it go on, or it ends. */
  'drift',
  /** A person with the role operator stopped it, and one of them lets it go on. */
  'operator',
] as const;
export type SuspensionCause = (typeof SUSPENSION_CAUSES)[number];
