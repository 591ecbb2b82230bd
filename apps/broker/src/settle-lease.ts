/** One transaction decides the outcome of a lease, under the locks of its task and all ancestors (protocol rule 3). */
import { decideOutcome, type Answered, type Lease, type Outcome, type WhyAbandoned } from '#events/lease.js';
import type { OutboundEvent } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import { serviceSource } from '#events/services.js';
import { DELIVERY } from '#events/topics.js';
import { unreachable } from '#events/unreachable.js';
import { sealCredential } from '#identity/seal.js';
import type { CreateAnswer, Credential } from '#providers/provider.js';
import { Last, transact } from '#store/database.js';
import { faultPoint } from '#telemetry/fault-point.js';
import type { BrokerParts } from './broker-parts.js';
import {
  decideLeases,
  lockLeases,
  outcomeOf,
  type Call,
  type CallKey,
  type DecidedLease,
  type Intended,
} from './call-rows.js';
import { decideNow } from './make-call.js';
import { UnitOfWork, type Intent } from './unit-of-work.js';

/** What became of the one create; `unsent` is known to its claimant alone. */
export type Attempt = CreateAnswer | { answer: 'unsent' };

/** Leases tried for one call before its agent is told that there is none. */
const ATTEMPTS_MAX = 3;

/** A lease whose create has had its answer, or never will. */
export interface Settling {
  intent: Intent;
  attempt: Attempt;
}

interface Sealed extends Settling {
  /** Null where there is nothing to seal. */
  envelope: string | null;
}

export const settleLease = (intent: Intent, attempt: Attempt, parts: BrokerParts) =>
  settleLeases([{ intent, attempt }], parts);

/** Several outcomes in one transaction: each is decided for itself, under the locks of all their tasks. */
export async function settleLeases(
  settling: readonly Settling[],
  parts: BrokerParts,
): Promise<{ intents: Intent[]; published: Promise<void> }> {
  // Sealed before the transaction: nobody waits for cryptography under a lock. It leaves only after the commit.
  const sealed = settling.map((each) => ({ ...each, envelope: sealedOf(each) }));
  const { queued, intents, told, outcomes } = await transact(parts.db, async (tx) => {
    const wanted = settling.map(({ intent }) => intent.intended);
    const [work, leases] = await Promise.all([
      UnitOfWork.begin(tx, {
        taskIds: wanted.flatMap(({ lineage }) => lineage.map((link) => link.taskId)),
        calls: wanted,
        agents: wanted.map(({ agent }) => agent),
      }),
      lockLeases(
        tx,
        wanted.map(({ leaseId }) => leaseId),
      ),
    ]);
    const decided = sealed.flatMap((each) => {
      const lease = leases.get(each.intent.intended.leaseId)?.lease;
      return lease?.state === 'intended'
        ? [{ ...decide(work, lease, each, parts), key: each.intent.intended }]
        : [];
    });
    // Before the new intents: a call has at most one lease that is not abandoned.
    const written = Promise.all([decideLeases(tx, decided), work.flush(parts.instanceId)]);
    faultPoint('outcome.before_commit');
    const outcomes = decided.flatMap((each) => outcomeIn(work, each));
    const { intents, told } = work;
    return new Last(written.then(([, queued]) => ({ queued, intents, told, outcomes })));
  });
  faultPoint('outcome.after_commit');
  for (const { call, outcome } of outcomes) parts.board.tell(call, outcome);
  measure(told, settling, parts);
  return { intents, published: parts.relay.send(queued) };
}

/** Refusals of the moment, by the provider's code: asked again, the target may well make it. */
const OF_THE_MOMENT: ReadonlyMap<string, Answered> = new Map<string, Answered>([
  ['ERR_TARGET_BUSY', 'busy'],
  ['ERR_CREATE_TOO_LATE', 'late'],
]);

const answeredBy = (attempt: Attempt): Answered =>
  attempt.answer === 'refused' ? (OF_THE_MOMENT.get(attempt.code) ?? 'refused') : attempt.answer;

function decide(
  work: UnitOfWork,
  lease: Lease,
  { intent, attempt, envelope }: Sealed,
  parts: BrokerParts,
): DecidedLease {
  const { intended } = intent;
  const chain = intended.lineage.map((link) => work.task(link.taskId));
  const standing = work.standing.of(intended.agent);
  const outcome = decideOutcome({ lease, answer: answeredBy(attempt), chain, standing, nowMs: work.nowMs });
  const call = work.call(intended);
  // Only what was created can be issued, so an issued lease has an envelope.
  if (outcome.issued && envelope !== null && attempt.answer === 'created') {
    issue(work, intended, call, envelope, attempt.incarnation);
    return { leaseId: intended.leaseId, state: 'issued', envelope };
  }
  abandon(work, intended, call, outcome, parts);
  return { leaseId: intended.leaseId, state: 'abandoned', envelope: null };
}

/** What its call has come to by now, if it was the last lease for it. */
function outcomeIn(work: UnitOfWork, { key, envelope }: DecidedLease & { key: CallKey }) {
  const call = work.call(key);
  const outcome = call === undefined ? null : outcomeOf({ ...call, envelope });
  return call === undefined || outcome === null ? [] : [{ call, outcome }];
}

function measure(told: readonly OutboundEvent[], settling: readonly Settling[], parts: BrokerParts): void {
  parts.measures.count(told);
  const intendedAtMs = new Map(
    settling.map(({ intent: { intended } }) => [intended.leaseId, Date.parse(intended.at)]),
  );
  for (const { type, data } of told) {
    if (type === 'lease.issued')
      parts.measures.issued(Date.now() - (intendedAtMs.get(data.leaseId) ?? Date.now()));
  }
}

const sealedOf = ({ intent, attempt }: Settling): string | null =>
  attempt.answer === 'created' ? seal(intent.intended, intent.sealTo, attempt.credential) : null;

export function seal(intended: Intended, sealTo: Intent['sealTo'], credential: Credential): string {
  const { leaseId, taskId, callId, agent, notAfter } = intended;
  return sealCredential({
    sealTo,
    plaintext: { kind: credential.kind, leaseId, notAfter, ...inClear(credential) },
    lease: { leaseId, taskId, callId, agent, topic: DELIVERY },
  });
}

function inClear(credential: Credential) {
  switch (credential.kind) {
    case 'postgres':
    case 'redis':
    case 'kafka': {
      const { password, ...connection } = credential.connection;
      return { connection: { ...connection, password: password.reveal() } };
    }
    case 'jwt':
      return { token: credential.token.reveal(), dpop: credential.dpop };
    default:
      return unreachable(credential);
  }
}

const commonOf = (work: UnitOfWork, { taskId, generation, tenant, causedBy }: Intended) => ({
  taskId,
  generation,
  ...(tenant === undefined ? {} : { tenant }),
  ...(causedBy === undefined ? {} : { causedBy }),
  actor: serviceSource('broker'),
  at: new Date(work.nowMs).toISOString(),
});

function issue(
  work: UnitOfWork,
  intended: Intended,
  call: Call | undefined,
  envelope: string,
  incarnation: string,
): void {
  const { taskId, leaseId, callId, agent, notAfter } = intended;
  work.record(taskId, {
    type: 'lease.issued',
    data: { ...commonOf(work, intended), leaseId, callId, agent, notAfter, incarnation },
  });
  if (call !== undefined) work.saveCall({ ...call, state: 'issued', code: null, reasons: [], leaseId });
  if (call?.answeredIn !== 'reply') work.deliverEnvelope(taskId, envelope);
}

/** The revoker hears of it and cuts, whatever became of the create. The call is decided again where that can help. */
function abandon(
  work: UnitOfWork,
  intended: Intended,
  call: Call | undefined,
  outcome: Outcome,
  parts: BrokerParts,
): void {
  const { answered, why } = outcome.issued ? { answered: true, why: 'no_answer' as const } : outcome;
  const { taskId, leaseId, callId } = intended;
  work.record(taskId, {
    type: 'lease.abandoned',
    data: { ...commonOf(work, intended), leaseId, callId, answered, why },
  });
  if (call === undefined) return;
  if (ATTEMPT_AGAIN.has(why) && call.attempts < ATTEMPTS_MAX) {
    const { contentSha256, attempts, request, sender, answeredIn, approval } = call;
    const again = { contentSha256, attempts: attempts + 1, answeredIn, approval };
    if (decideNow(work, request, sender, parts, again) === null) return;
  }
  const refusal = REFUSALS[why];
  if (call.answeredIn === 'delivery') work.refuseCall(intended, refusal, [refusal.reason]);
  work.saveCall({ ...call, state: 'refused', code: refusal.code, reasons: [refusal.reason], leaseId });
}

const ATTEMPT_AGAIN: ReadonlySet<WhyAbandoned> = new Set<WhyAbandoned>([
  'no_answer',
  'not_sent',
  'target_busy',
  'too_late',
]);

const REFUSALS: Record<WhyAbandoned, Refusal> = {
  already_decided: { code: 'ERR_LEASE_ABANDONED', reason: 'the lease was decided before' },
  no_answer: { code: 'ERR_TARGET_UNREACHABLE', reason: 'the target did not answer' },
  not_sent: { code: 'ERR_TARGET_UNREACHABLE', reason: 'there was no time left to create the credential' },
  target_refused: { code: 'ERR_TARGET_REFUSED', reason: 'the target refused to create the credential' },
  target_busy: { code: 'ERR_TARGET_REFUSED', reason: 'the target was too busy to create the credential' },
  cut_heard: { code: 'ERR_LEASE_ABANDONED', reason: 'the lease was revoked before it was issued' },
  agent_revoked: { code: 'ERR_AGENT_REVOKED', reason: 'the agent was revoked before it was issued' },
  task_not_live: { code: 'ERR_TASK_ENDED', reason: 'the task ended before the credential was issued' },
  task_suspended: {
    code: 'ERR_TASK_SUSPENDED',
    reason: 'the task was suspended before the credential was issued',
  },
  generation_changed: {
    code: 'ERR_LEASE_ABANDONED',
    reason: 'the task changed before the credential was issued',
  },
  too_late: { code: 'ERR_TARGET_UNREACHABLE', reason: 'the target answered too late' },
};
