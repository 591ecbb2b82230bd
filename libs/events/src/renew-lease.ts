/**
 * A renewal: its agent wants a lease to end later. Judged like the call that led to it, on the facts and the policy of this moment;
 * it moves an end and nothing else (protocol, rule 8). Decided twice: before the target is asked, and under the locks of rule 3
 * before it is true.
 */
import { GOOD_STANDING } from './agent-standing.js';
import { questionOf } from './call-question.js';
import { refusalOf } from './call.js';
import type { CallFacts } from './call-facts.js';
import { targetOf } from './catalogue.js';
import { keyRefusal } from './entitlement.js';
import type { ToolCalled } from './inbound.js';
import type { Lease } from './lease.js';
import type { Check, EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { serviceSource } from './services.js';
import { chainRefusal, type Sender, type Task } from './task.js';
import type { CallVerdict } from './verdict.js';
import { walls } from './walls.js';

/** In its last seconds a lease runs out: the revoker may cut it before it hears of a renewal. */
export const RENEWAL_MARGIN_MS = 5_000;

/** What is asked: how long from now; absent, as long as the call asked for. */
export interface Renewal {
  taskId: string;
  leaseId: string;
  ttlMs?: number | undefined;
}

/** A lease that is there, with the call that led to it. */
export interface Renewable {
  lease: Lease;
  /** As it was intended. */
  intended: Pick<EventOf<'lease.intended'>['data'], 'target' | 'rights'>;
  call: ToolCalled;
}

export interface RenewalFacts extends Pick<
  CallFacts,
  'task' | 'ancestors' | 'catalogue' | 'judge' | 'sealKeyThumbprint' | 'standing' | 'nowMs'
> {
  /** Null: nobody knows such a lease. */
  renewable: Renewable | null;
  /** What the target was asked for, once it was: then it is this end or none. */
  extendedToMs: number | null;
}

type Inputs = { digest: string; inputs: object };
export type RenewalDecided =
  /** The sender may not say this at all. */
  | { is: 'rejected'; refusal: Refusal }
  | { is: 'refused'; event: EventOf<'lease.renewal_refused'>; inputs: Inputs | undefined }
  | { is: 'granted'; event: EventOf<'lease.renewed'>; inputs: Inputs };

/** Requires the locks of the task, its ancestors and the lease. */
export function decideRenewal(renewal: Renewal, by: Sender, facts: RenewalFacts): RenewalDecided {
  const { task, renewable } = facts;
  const { declaration } = task;
  if (declaration === null) return rejected('ERR_TASK_UNKNOWN', 'no such task was accepted');
  if (!declaration.agents.includes(by.id))
    return rejected('ERR_AGENT_NOT_NAMED', 'the sender is no agent of this task');
  const pin = keyRefusal(task, facts.ancestors, by.id, by.keyThumbprint);
  if (pin !== null) return { is: 'rejected', refusal: pin };
  // Of others' leases nobody learns whether they are there.
  if (renewable === null || renewable.lease.taskId !== task.taskId || renewable.lease.agent !== by.id)
    return rejected('ERR_NOT_ENTITLED', 'the sender has no such lease in this task');

  const gone = leaseRefusal(renewable.lease, facts);
  if (gone !== null) return refuse(renewable.lease, by, facts, gone, [], null);
  const { call, lease } = renewable;
  // The task's deadline caps a renewal, where it refuses a call.
  const asked = { ...call, ttlMs: undefined };
  const { checks, refusal } = walls(asked, by, declaration, facts);
  const walled = refusal ?? otherRefusal(renewable, facts);
  if (walled !== null) return refuse(lease, by, facts, walled, checks, null);

  const verdict = facts.judge.decideRenewal(
    questionOf(call, by, declaration, facts, { renewals: lease.renewals, approvers: null }),
  );
  checks.push(...verdict.checks);
  const forbidden = refusalOf(verdict);
  if (forbidden !== null) return refuse(lease, by, facts, forbidden, checks, verdict);
  const endMs = endOf(renewal, renewable, facts, verdict.obligations.ttlMs);
  const short = endRefusal(lease, endMs, facts.extendedToMs);
  if (short !== null) return refuse(lease, by, facts, short, checks, verdict);
  return grant(lease, by, facts, facts.extendedToMs ?? endMs, checks, verdict);
}

const rejected = (code: RefusalCode, reason: string): RenewalDecided => ({
  is: 'rejected',
  refusal: { code, reason },
});

/** What the lease itself, its task and its ancestors say. */
function leaseRefusal(lease: Lease, facts: RenewalFacts): Refusal | null {
  const { task, ancestors, standing = GOOD_STANDING, nowMs } = facts;
  const chain = chainRefusal(task, ancestors, nowMs);
  if (chain !== null) return chain;
  if (lease.cutHeard || (lease.state === 'issued' && nowMs >= lease.notAfterMs))
    return { code: 'ERR_LEASE_ENDED', reason: 'the lease has ended' };
  if (lease.state !== 'issued')
    return { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'the lease was not issued' };
  if (!isOfPresentGenerations(lease, [task, ...ancestors]))
    return { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'the lease is of an earlier generation of its task' };
  // Of one that is revoked now the walls say so.
  if (!standing.revoked && (lease.agentGeneration ?? 0) !== standing.generation)
    return { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'the lease is from before its agent was revoked' };
  return nowMs >= lease.notAfterMs - RENEWAL_MARGIN_MS
    ? { code: 'ERR_RENEWAL_TOO_LATE', reason: 'the lease is about to end' }
    : null;
}

const isOfPresentGenerations = ({ lineage }: Lease, chain: readonly Task[]): boolean =>
  lineage.length === chain.length &&
  lineage.every(({ taskId, generation }) =>
    chain.some((each) => each.taskId === taskId && each.generation === generation),
  );

/** Rights stay as they are, so a catalogue that lends others by now ends the lease with its time. */
function otherRefusal({ intended, call }: Renewable, { catalogue }: RenewalFacts): Refusal | null {
  const found = targetOf(call, catalogue);
  const isSame =
    found?.target.id === intended.target &&
    found.rights.length === intended.rights.length &&
    found.rights.every((right) => intended.rights.includes(right));
  return isSame
    ? null
    : { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'the catalogue lends something else for this call by now' };
}

function endOf(
  { ttlMs }: Renewal,
  { lease, call }: Renewable,
  { task, ancestors, catalogue, nowMs }: RenewalFacts,
  policyTtlMs: number | null,
): number {
  const deadlines = [task, ...ancestors].map((each) => each.declaration?.deadlineMs ?? nowMs);
  const longestMs = targetOf(call, catalogue)?.target.maxTtlMs ?? 0;
  const livesMs = Math.min(ttlMs ?? call.ttlMs ?? Infinity, policyTtlMs ?? Infinity, longestMs);
  return Math.min(nowMs + livesMs, lease.hardEndMs, ...deadlines);
}

function endRefusal(lease: Lease, endMs: number, extendedToMs: number | null): Refusal | null {
  if (endMs <= lease.notAfterMs)
    return { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'the lease would end no later than it does' };
  return extendedToMs !== null && endMs < extendedToMs
    ? { code: 'ERR_LEASE_NOT_RENEWABLE', reason: 'less is permitted by now than the target was asked for' }
    : null;
}

const commonOf = ({ leaseId, callId, agent }: Lease, by: Sender, { task, judge, nowMs }: RenewalFacts) => ({
  taskId: task.taskId,
  generation: task.generation,
  ...(task.declaration === null ? {} : { tenant: task.declaration.tenant }),
  causedBy: by.ceId,
  actor: serviceSource('broker'),
  at: new Date(nowMs).toISOString(),
  ...{ leaseId, callId, agent, policySet: judge.digest },
});

const inputsOf = ({ inputsDigest, inputs }: CallVerdict): Inputs => ({ digest: inputsDigest, inputs });

function refuse(...given: Parameters<typeof refusedEvent>): RenewalDecided {
  const verdict = given[5];
  const inputs = verdict === null ? undefined : inputsOf(verdict);
  return { is: 'refused', event: refusedEvent(...given), inputs };
}

function refusedEvent(
  lease: Lease,
  by: Sender,
  facts: RenewalFacts,
  { code, reason }: Refusal,
  checks: Check[],
  verdict: CallVerdict | null,
): EventOf<'lease.renewal_refused'> {
  const data = {
    ...commonOf(lease, by, facts),
    code,
    reasons: [reason, ...(verdict?.reasons ?? [])],
    checks,
    ...(verdict === null ? {} : { inputs: verdict.inputsDigest }),
  };
  return { type: 'lease.renewal_refused', data };
}

function grant(
  lease: Lease,
  by: Sender,
  facts: RenewalFacts,
  notAfterMs: number,
  checks: Check[],
  verdict: CallVerdict,
): RenewalDecided {
  const data = {
    ...commonOf(lease, by, facts),
    notAfter: new Date(notAfterMs).toISOString(),
    previousNotAfter: new Date(lease.notAfterMs).toISOString(),
    renewals: lease.renewals + 1,
    checks,
    inputs: verdict.inputsDigest,
  };
  return { is: 'granted', event: { type: 'lease.renewed', data }, inputs: inputsOf(verdict) };
}

/** What it comes to where its sender may not say it any more. */
export function renewalRefused(
  lease: Lease,
  by: Sender,
  facts: RenewalFacts,
  refusal: Refusal,
): EventOf<'lease.renewal_refused'> {
  return refusedEvent(lease, by, facts, refusal, [], null);
}

/** What a renewal comes to where the target did not do its part: decided is decided, and the lease runs out. */
export const renewalFailed = (
  { data }: EventOf<'lease.renewed'>,
  { code, reason }: Refusal,
): EventOf<'lease.renewal_refused'> => {
  const { taskId, generation, tenant, causedBy, actor, at, leaseId, callId, agent } = data;
  const common = { taskId, generation, tenant, causedBy, actor, at };
  const { checks, policySet, inputs } = data;
  return {
    type: 'lease.renewal_refused',
    data: { ...common, leaseId, callId, agent, code, reasons: [reason], checks, policySet, inputs },
  };
};
