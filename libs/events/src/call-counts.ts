/** How often a task has called each thing that it declares, and how often it was denied: what policy sees of it. Pure. */
import type { TaskStarted } from './inbound.js';
import type { OutboundData } from './outbound.js';

/** Absent until the first call, and in tasks that were kept before there were such counts. */
export interface CallCounts {
  denied?: number;
  ofTools?: Record<string, number>;
  ofDatasets?: Record<string, number>;
}

type Decided = Pick<OutboundData<'call.decided'>, 'decision' | 'tool' | 'dataset'>;

/**
 * After one more decision. A call that waits for people counts once they have answered. What was never declared is in the total of the
 * task alone: no agent makes a row grow by making names up.
 */
export function countsAfter(
  { denied = 0, ofTools = {}, ofDatasets = {} }: CallCounts,
  { decision, tool, dataset }: Decided,
  declared: TaskStarted['declared'],
): CallCounts {
  if (decision === 'approval_required') return { denied, ofTools, ofDatasets };
  const isDeclared = (of: 'tool' | 'dataset', name: string) => declared.some((each) => each[of] === name);
  return {
    denied: denied + (decision === 'deny' ? 1 : 0),
    ofTools: oneMore(ofTools, tool, isDeclared('tool', tool)),
    ofDatasets:
      dataset === undefined ? ofDatasets : oneMore(ofDatasets, dataset, isDeclared('dataset', dataset)),
  };
}

/** What an amendment takes away and another brings back goes on where it was. */
function oneMore(counts: Record<string, number>, name: string, isDeclared: boolean): Record<string, number> {
  const before = countOf(counts, name);
  return before > 0 || isDeclared ? { ...counts, [name]: before + 1 } : counts;
}

/** Names are the catalogue's, and may be those of members that every object has. */
export const countOf = (counts: Record<string, number> | undefined, name: string): number =>
  counts !== undefined && Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0;
