/** What the domain asks of policy, and what it hears. The engine lives in `libs/policy`; here are only the words. */
import type { Catalogue } from './catalogue.js';
import type { TaskStarted } from './inbound.js';
import type { Check } from './outbound.js';
import type { RefusalCode } from './refusal.js';

/** Facts of a task that policy may look at. */
export interface TaskFacts {
  taskId: string;
  orchestrator: string;
  /** The principal's id. */
  onBehalfOf: string;
  purpose: string;
  /** Digest of the full instruction. */
  objectiveSha256: string;
  risk: 'low' | 'medium' | 'high';
  startedAtMs: number;
  deadlineMs: number;
  /** 0 without a parent. */
  depth: number;
  maxCalls: number;
  maxRows: number;
  /** Absent: no such limit. */
  maxCallsPerMinute?: number | undefined;
}

export interface TaskQuestion {
  catalogue: Catalogue;
  orchestrator: string;
  agents: string[];
  declared: TaskStarted['declared'];
  task: TaskFacts;
}

export interface TaskVerdict {
  decision: 'permit' | 'deny';
  code?: RefusalCode;
  reason?: string;
  policies: string[];
  inputs: object;
  /** `sha256:<hex>` over the JCS of `inputs`. */
  inputsDigest: string;
}

export interface CallQuestion {
  catalogue: Catalogue;
  agent: string;
  tool: string;
  dataset?: string;
  action: string;
  /** What the call says of itself. */
  argumentsSha256?: string | undefined;
  model?: { name: string; version?: string | undefined } | undefined;
  task: TaskFacts;
  now: {
    atMs: number;
    calls: number;
    callsLastMinute: number;
    callsOfTool: number;
    /** Absent without a dataset. */
    callsOfDataset?: number;
    /** Calls of the task that were denied. */
    refused: number;
    rows: number;
    drift: number;
    renewals: number;
    approval: string;
    approvers: string[];
  };
}

export interface CallVerdict {
  decision: 'permit' | 'deny' | 'approval_required';
  code?: RefusalCode;
  checks: Check[];
  reasons: string[];
  obligations: { ttlMs: number | null; approval: string | null; rowFilters: string[] };
  inputs: object;
  inputsDigest: string;
}

export interface Judge {
  /** Digest of the policy set, `sha256:<hex>`. */
  readonly digest: string;
  decideTask(question: TaskQuestion): TaskVerdict;
  decideCall(question: CallQuestion): CallVerdict;
  /** The call decided again, and whether the lease it led to may be renewed. */
  decideRenewal(question: CallQuestion): CallVerdict;
  /** Whether this person may approve for this task; absent, or true where policy does not speak of it: the catalogue alone says. */
  mayApprove?(question: { person: string; task: TaskFacts; atMs: number }): boolean;
}
