/**
 * One transaction decides what a renewal came to, under the locks of its task, all ancestors and the lease (protocol, rules 3 and 8).
 * A lease that the target lets live longer, and that is not renewed here, ends when it would have: the revoker goes by the record.
 */
import { decideRenewal, renewalFailed, renewalRefused } from '#events/renew-lease.js';
import type { EventOf, OutboundEvent } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import { unreachable } from '#events/unreachable.js';
import type { RenewAnswer } from '#providers/provider.js';
import { transact } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { faultPoint } from '#telemetry/fault-point.js';
import type { BrokerParts } from './broker-parts.js';
import { refuse, renewalFacts } from './renew-lease.js';
import type { RenewalIntent, RenewalKey, RenewalOutcome, RenewalRow } from './renewal-rows.js';
import { seal } from './settle-lease.js';
import { UnitOfWork } from './unit-of-work.js';

interface Settled {
  key: RenewalKey;
  outcome: RenewalOutcome;
  queued: QueuedRecord[];
  told: OutboundEvent[];
}

export async function settleRenewal(
  intent: RenewalIntent,
  attempt: RenewAnswer,
  parts: BrokerParts,
): Promise<void> {
  // Sealed before the transaction: nobody waits for cryptography under a lock. It leaves only after the commit.
  const envelope = envelopeOf(intent, attempt);
  const settled = await transact(parts.db, async (tx): Promise<Settled | null> => {
    const { leaseId, lineage } = intent.intended;
    const work = await UnitOfWork.begin(tx, {
      taskIds: lineage.map((link) => link.taskId),
      renewals: [leaseId],
      agents: [intent.intended.agent],
    });
    const row = work.renewable(leaseId)?.renewal;
    // Somebody who took it for lost has decided it.
    if (row?.state !== 'intended' || row.notAfter !== intent.notAfter) return null;
    const outcome = decide(work, row, intent, attempt, envelope, parts);
    const queued = await work.flush(parts.instanceId);
    faultPoint('renewal.before_commit');
    return { key: { leaseId, ceId: row.ceId }, outcome, queued, told: work.told };
  });
  if (settled === null) return;
  faultPoint('renewal.after_commit');
  void parts.relay.send(settled.queued);
  parts.measures.count(settled.told);
  parts.renewals.tell(settled.key, settled.outcome);
}

function envelopeOf({ intended, notAfter, sealTo }: RenewalIntent, attempt: RenewAnswer): string | null {
  return attempt.answer === 'renewed' && attempt.credential !== undefined
    ? seal({ ...intended, notAfter }, sealTo, attempt.credential)
    : null;
}

function decide(
  work: UnitOfWork,
  row: RenewalRow,
  intent: RenewalIntent,
  attempt: RenewAnswer,
  envelope: string | null,
  parts: BrokerParts,
): RenewalOutcome {
  const { agent } = intent.intended;
  const facts = renewalFacts(work, row.request, agent, parts, Date.parse(intent.notAfter));
  const decided = decideRenewal(row.request, row.sender, facts);
  switch (decided.is) {
    case 'rejected': {
      const { renewable } = facts;
      if (renewable === null) throw new Error('a lease that is being renewed is gone');
      return refused(work, row, renewalRefused(renewable.lease, row.sender, facts, decided.refusal));
    }
    case 'refused':
      work.keepInputs(decided.inputs);
      return refused(work, row, decided.event);
    case 'granted':
      work.keepInputs(decided.inputs);
      return attempt.answer === 'renewed'
        ? renewed(work, row, decided.event, envelope)
        : refused(work, row, renewalFailed(decided.event, refusalOf(attempt)));
    default:
      return unreachable(decided);
  }
}

function renewed(
  work: UnitOfWork,
  row: RenewalRow,
  event: EventOf<'lease.renewed'>,
  envelope: string | null,
): RenewalOutcome {
  const { taskId, leaseId, agent, notAfter } = event.data;
  work.record(taskId, event);
  work.renewLease({ leaseId, notAfter, envelope });
  work.saveRenewal({ ...row, state: 'renewed' });
  if (row.answeredIn === 'delivery') {
    if (envelope === null) work.deliver('lease.renewed', { taskId, leaseId, agent, notAfter });
    else work.deliverEnvelope(taskId, envelope);
  }
  return { is: 'renewed', notAfter, envelope };
}

function refused(work: UnitOfWork, row: RenewalRow, event: EventOf<'lease.renewal_refused'>): RenewalOutcome {
  refuse(work, row, event);
  return { is: 'refused', code: event.data.code, reasons: event.data.reasons };
}

function refusalOf({ answer, code }: Exclude<RenewAnswer, { answer: 'renewed' }>): Refusal {
  if (answer === 'none') return { code: 'ERR_TARGET_UNREACHABLE', reason: 'the target did not answer' };
  if (code === 'ERR_LEASE_FENCED')
    return { code: 'ERR_LEASE_ENDED', reason: 'the target has nothing of this lease any more' };
  if (code === 'ERR_RENEWAL_TOO_LATE') return { code, reason: 'the lease is over at its target' };
  return { code: 'ERR_TARGET_REFUSED', reason: 'the target refused to renew the credential' };
}
