/** Where drift is seen: in a call, in the report of a use, in the end of a lease. Sets are compared; nothing is guessed. */
import type { CutCause } from './causes.js';
import type { DriftRules } from './drift.js';
import type { DriftSignal } from './drift-signal.js';
import { afterCall, isRefused, type Model } from './drift-state.js';
import type { ToolCalled } from './inbound.js';
import type { EventOf } from './outbound.js';
import type { Declaration, Task } from './task.js';

/** How long the report of a use may be under way. */
export const REPORT_GRACE_MS = 5_000;

/** What a call says by itself, before it is decided. @param saidAtMs when it came to the bus, or to the broker's HTTP */
export function signalsOfCall(task: Task, call: ToolCalled, agent: string, saidAtMs: number): DriftSignal[] {
  const { declaration } = task;
  if (declaration === null) return [];
  if (isAfterEnd(task, declaration, saidAtMs)) return ['use_after_end'];
  // While it waits for a person nobody counts what its agents try.
  if (task.status !== 'open') return [];
  const creep = creepOf(declaration, call, agent);
  const objective = call.objectiveSha256 ?? declaration.objectiveSha256;
  return [
    ...(creep === null ? [] : [creep]),
    ...(objective === declaration.objectiveSha256 ? [] : ['objective_changed' as const]),
    ...(isOther(task.conduct?.[agent]?.model, call.model) ? ['model_changed' as const] : []),
  ];
}

/** Said after the end. At the deadline it is the time that counts: what waited in a queue was said before. */
const isAfterEnd = (
  { status, outcome }: Task,
  { deadlineMs }: Pick<Declaration, 'deadlineMs'>,
  saidAtMs: number,
): boolean => saidAtMs >= deadlineMs || (status === 'ended' && outcome !== 'deadline');

/** Requested, and not declared: how far from it. */
function creepOf(
  { declared }: Pick<Declaration, 'declared'>,
  { tool, dataset, action }: ToolCalled,
  agent: string,
): DriftSignal | null {
  const ofTool = declared.filter(
    (each) => each.tool === tool && (each.agents === undefined || each.agents.includes(agent)),
  );
  if (ofTool.length === 0) return 'call_outside_declaration';
  const ofDataset = ofTool.filter((each) => each.dataset === dataset);
  if (ofDataset.length === 0) return 'dataset_creep';
  return ofDataset.some(({ actions }) => actions.includes(action)) ? null : 'action_creep';
}

/** A version is compared where both calls name one. */
function isOther(known: Model | undefined, said: Model | undefined): boolean {
  if (known === undefined || said === undefined) return false;
  if (known.name !== said.name) return true;
  return known.version !== undefined && said.version !== undefined && known.version !== said.version;
}

type Decided = Pick<EventOf<'call.decided'>['data'], 'decision' | 'code' | 'agent'>;

/** What the decision of a call adds: one more refused, of too many. */
export function signalsOfDecision(
  { conduct }: Task,
  decided: Decided,
  { refusalRate: { minCalls, percent } }: DriftRules,
): DriftSignal[] {
  if (!isRefused(decided)) return [];
  const after = afterCall(conduct?.[decided.agent], decided);
  const isUnusual = after.decided >= minCalls && after.refused * 100 >= percent * after.decided;
  return isUnusual ? ['refusal_rate'] : [];
}

/** The issued lease that a report is about. */
export interface ReportedLease {
  leaseId: string;
  agent: string;
  /** When it ended, or will: its time as last renewed, or its cut. */
  endsAtMs: number;
}

/**
 * Whose use was reported, and what of it is drift; null where nobody knows whose. Requires that the sender may report.
 * @param lease null: none that this sender's report could be about is known
 */
export function reportedUse(
  task: Task,
  lease: ReportedLease | null,
  by: string,
  saidAtMs: number,
): { agent: string; leaseId?: string; signals: DriftSignal[] } | null {
  const { declaration } = task;
  const isAgent = declaration?.agents.includes(by) === true;
  // An agent speaks for itself alone; who verifies speaks of all.
  const agent = isAgent ? by : lease?.agent;
  if (declaration === null || agent === undefined) return null;
  const own = lease?.agent === agent ? lease : null;
  const isLate =
    isAfterEnd(task, declaration, saidAtMs) || (own !== null && saidAtMs > own.endsAtMs + REPORT_GRACE_MS);
  return {
    agent,
    ...(own === null ? {} : { leaseId: own.leaseId }),
    signals: isLate ? ['use_after_end'] : [],
  };
}

/** Ends at which a lease had all its time. What was taken away earlier, or given back, could not be used, or need not be. */
const HAD_ITS_TIME: ReadonlySet<CutCause> = new Set<CutCause>(['expired', 'deadline', 'task_ended']);

/** Whether an issued lease was granted and not used, as far as it is known at its end: only of agents whose uses are reported at all. */
export const isGrantUnused = (
  { conduct }: Task,
  { agent, useReported: used }: { agent: string; useReported: boolean },
  cause: CutCause,
): boolean => HAD_ITS_TIME.has(cause) && !used && conduct?.[agent]?.reports === true;
