import { countOf } from './call-counts.js';
import type { CallFacts } from './call-facts.js';
import { factsOf, type Declaration } from './declaration.js';
import { scoreOf } from './drift.js';
import type { ToolCalled } from './inbound.js';
import type { Sender } from './task.js';
import type { CallQuestion } from './verdict.js';

/**
 * What policy is asked of a call: `renewals` of the lease that it led to, `approvers` that it has, null for a call that was not approved;
 * `drift` with what this call adds to it.
 */
export function questionOf(
  call: ToolCalled,
  by: Sender,
  declaration: Declaration,
  { task, catalogue, approvals, nowMs }: Pick<CallFacts, 'task' | 'catalogue' | 'approvals' | 'nowMs'>,
  {
    renewals,
    approvers,
    drift = scoreOf(task),
  }: { renewals: number; approvers: readonly string[] | null; drift?: number },
): CallQuestion {
  const { calls, rows, recentCallsMs, ofTools, ofDatasets, denied = 0 } = task.usage;
  const recent = recentCallsMs.filter((ms) => ms > nowMs - 60_000);
  // An approved call was counted when it was asked.
  const askedAtMs = approvers === null ? NaN : Date.parse(approvals?.given?.requested.at ?? '');
  return {
    catalogue,
    agent: by.id,
    tool: call.tool,
    ...(call.dataset === undefined ? {} : { dataset: call.dataset }),
    action: call.action,
    argumentsSha256: call.argumentsSha256,
    model: call.model,
    task: factsOf(task.taskId, declaration),
    now: {
      atMs: nowMs,
      calls: approvers === null ? calls : Math.max(0, calls - 1),
      callsLastMinute: recent.includes(askedAtMs) ? recent.length - 1 : recent.length,
      callsOfTool: countOf(ofTools, call.tool),
      ...(call.dataset === undefined ? {} : { callsOfDataset: countOf(ofDatasets, call.dataset) }),
      refused: denied,
      rows,
      drift,
      renewals,
      approval: approvers === null ? 'none' : 'approved',
      approvers: [...(approvers ?? [])],
    },
  };
}
