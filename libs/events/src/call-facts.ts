/** What a call is judged by, gathered under the locks of its task. */
import type { AgentStanding } from './agent-standing.js';
import type { ApprovalFacts } from './approval-facts.js';
import type { Catalogue } from './catalogue.js';
import type { DriftRules } from './drift.js';
import type { Refusal } from './refusal.js';
import type { Task } from './task.js';
import type { Judge } from './verdict.js';

export interface CallFacts {
  task: Task;
  /** Parent first. */
  ancestors: readonly Task[];
  catalogue: Catalogue;
  judge: Judge;
  openTasksOfSender: number;
  /** Of the agent that asks; absent: nobody ever revoked it. */
  standing?: AgentStanding;
  /** Thumbprint of `sealTo`, or null where it is no valid public key. */
  sealKeyThumbprint: string | null;
  newLeaseId: string;
  /** The principal's name for a lease at a target. */
  principalOf: (target: string, leaseId: string) => string;
  /** Why nothing is lent at a target for now, whatever policy says; null where something may be. Absent: anything may. */
  unavailable?: (target: string) => Refusal | null;
  /** Why nothing may be made with these rights at a target now, in constant words; null where nothing speaks against it. Absent: not known. */
  unfit?: (target: string, rights: readonly string[]) => string | null;
  /** A new place in a status list, for a token; undefined where tokens have none. */
  newStatus?: () => { uri: string; idx: number } | undefined;
  /** Absent: nothing waits for people, and what needs them is refused. */
  approvals?: ApprovalFacts;
  /** Absent: it is no new word of its agent, and says nothing new of it. */
  watch?: Watch;
  sha256Hex: (text: string) => string;
  nowMs: number;
}

/** What drift is measured by. */
export interface Watch {
  rules: DriftRules;
  /** When the call came to the bus, or to the broker's HTTP. */
  saidAtMs: number;
}
