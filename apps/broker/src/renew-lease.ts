/**
 * A renewal, decided in the transaction that heard of it. What is granted is an intention: the target is asked after the commit, and
 * `settle-renewal.ts` decides again before it is true.
 */
import { decideRenewal, type Renewal, type RenewalFacts } from '#events/renew-lease.js';
import type { EventOf } from '#events/outbound.js';
import type { Refusal, RefusalCode } from '#events/refusal.js';
import type { Sender } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import { sealKeyThumbprint, validSealKey } from '#identity/seal.js';
import type { BrokerParts } from './broker-parts.js';
import type { AnsweredIn } from './call-rows.js';
import { intentOf, outcomeOf, type KnownRenewal, type RenewalRow } from './renewal-rows.js';
import type { UnitOfWork } from './unit-of-work.js';

/** @returns why the event is rejected: its sender may not say this. Then nothing has happened. */
export function renewLease(
  work: UnitOfWork,
  { taskId, leaseId, ttlMs }: Renewal,
  by: Sender,
  parts: Pick<BrokerParts, 'catalogue' | 'judge'>,
  answeredIn: AnsweredIn,
): Refusal | null {
  const request = { taskId, leaseId, ttlMs };
  const decided = decideRenewal(request, by, renewalFacts(work, request, by.id, parts, null));
  if (decided.is === 'rejected') return decided.refusal;
  const underWay = work.renewable(leaseId)?.renewal;
  if (underWay?.state === 'intended') {
    // Who asks once more gets the answer of the one that is under way.
    if (answeredIn === 'delivery') work.saveRenewal({ ...underWay, answeredIn });
    return null;
  }
  const asked = { ...{ leaseId, taskId, ceId: by.ceId, request, sender: by, answeredIn }, reasons: [] };
  switch (decided.is) {
    case 'refused':
      work.keepInputs(decided.inputs);
      refuse(work, { ...asked, state: 'refused', notAfter: null, code: null }, decided.event);
      return null;
    case 'granted': {
      work.saveRenewal({ ...asked, state: 'intended', notAfter: decided.event.data.notAfter, code: null });
      const found = work.renewable(leaseId);
      const intent = found === null ? null : intentOf(found);
      if (intent !== null) work.renewals.push(intent);
      return null;
    }
    default:
      return unreachable(decided);
  }
}

/** Requires the locks of task and lease. */
export function renewalFacts(
  work: UnitOfWork,
  { taskId, leaseId }: Renewal,
  agent: string,
  { catalogue, judge }: Pick<BrokerParts, 'catalogue' | 'judge'>,
  extendedToMs: number | null,
): RenewalFacts {
  const task = work.task(taskId);
  const found = work.renewable(leaseId);
  const call = found?.call ?? null;
  return {
    ...{ task, ancestors: work.ancestorsOf(task), catalogue, judge, extendedToMs, nowMs: work.nowMs },
    standing: work.standing.of(agent),
    renewable: found === null || call === null ? null : { ...found, call },
    sealKeyThumbprint: call !== null && validSealKey(call.sealTo) ? sealKeyThumbprint(call.sealTo) : null,
  };
}

export function refuse(work: UnitOfWork, row: RenewalRow, event: EventOf<'lease.renewal_refused'>): void {
  const { taskId, leaseId, agent, code, reasons } = event.data;
  work.record(taskId, event);
  work.saveRenewal({ ...row, state: 'refused', code, reasons });
  if (row.answeredIn === 'delivery') tellRefused(work, { taskId, leaseId, agent, code, reasons });
}

interface Refused {
  taskId: string;
  leaseId: string;
  agent: string;
  code: RefusalCode;
  reasons: string[];
}

export const tellRefused = (work: UnitOfWork, { taskId, leaseId, agent, code, reasons }: Refused): void =>
  work.deliver('lease.renewal_refused', { taskId, leaseId, agent, code, reasons });

/** The last renewal of a lease, and what it came to. */
export function renewalNow(work: UnitOfWork, leaseId: string): KnownRenewal | undefined {
  const found = work.renewable(leaseId);
  return found === null || found.renewal === null
    ? undefined
    : { leaseId, ceId: found.renewal.ceId, outcome: outcomeOf(found) };
}
