/** A use that was reported, and the end of a lease whose use nobody reported. */
import type { CutCause } from '#events/causes.js';
import type { DriftRules } from '#events/drift.js';
import type { InboundData } from '#events/inbound.js';
import { isGrantUnused, reportedUse } from '#events/see-drift.js';
import type { Sender } from '#events/task.js';
import type { BrokerParts } from './broker-parts.js';
import { noteDrift } from './note-drift.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Requires that the sender may report. @param saidAtMs when the report came to the bus, or to the broker's HTTP */
export function reportUse(
  work: UnitOfWork,
  { taskId, callId, leaseId, outcome, rows = 0 }: InboundData<'tool.completed'>,
  by: Sender,
  saidAtMs: number,
  { drift }: Pick<BrokerParts, 'drift'>,
): void {
  const lease = work.reported({ taskId, callId, leaseId, by: by.id });
  const use = reportedUse(work.task(taskId), lease, by.id, saidAtMs);
  const seen = use === null ? {} : { ...use, at: new Date(work.nowMs).toISOString() };
  const said = { callId, outcome, rows, ...(leaseId === undefined ? {} : { leaseId }) };
  work.record(taskId, { type: 'task.usage_reported', data: { ...by, ...said, ...seen } });
  if (use === null) return;
  if (use.leaseId !== undefined) work.markUsed(use.leaseId);
  noteDrift(work, taskId, { ...use, callId, causedBy: by.ceId }, drift);
}

/** Requires the locks of the task and of the lease, which was issued and is over from now on. */
export function noteUnused(
  work: UnitOfWork,
  lease: { leaseId: string; taskId: string; callId: string; agent: string; useReported: boolean },
  { cause, causedBy }: { cause: CutCause; causedBy: string | undefined },
  rules: DriftRules,
): void {
  const { leaseId, taskId, callId, agent } = lease;
  if (!isGrantUnused(work.task(taskId), lease, cause)) return;
  const at = new Date(work.nowMs).toISOString();
  work.record(taskId, { type: 'task.grant_unused', data: { leaseId, agent, at } });
  noteDrift(work, taskId, { signals: ['granted_unused'], agent, callId, leaseId, causedBy }, rules);
}
