/**
 * What Mayfly says, on `mayfly.credential.events.v1` and `mayfly.credential.delivery.v1`: strict when we write,
 * tolerant when we read. No secret is in any of these; a credential travels only as a JWE in the delivery envelope.
 */
import { z } from 'zod';
import { approvalEvents } from './approval-events.js';
import { catalogueActivated } from './catalogue-events.js';
import { CUT_CAUSES, SUSPENSION_CAUSES } from './causes.js';
import { check } from './check.js';
import { deadLetterParked, deadLetterReleased } from './dead-letter-events.js';
import { declarationRefused, toldDeclaration } from './declaration-told.js';
import { DRIFT_SIGNALS } from './drift-signal.js';
import { REFUSAL_CODES } from './refusal.js';
import { planSchema } from './lease-plan.js';
import { lineage } from './lineage.js';
import { orderEvents } from './order-events.js';
import { leaseRenewed, renewalNotices, renewalRefused } from './renewal-events.js';
import { signingKeyRotated, targetAccountRotated } from './rotation-events.js';
import { SERVICES } from './services.js';
import { orphanCut, standingAccessFound, standingAccessGone, targetRestarted } from './survey-events.js';

/** Members every outbound event carries. */
const common = {
  taskId: z.string(),
  /** 0: no generation is known to the writer. */
  generation: z.int().nonnegative(),
  tenant: z.string().optional(),
  /** `ce_id` of the record that led to this one. */
  causedBy: z.string().optional(),
  /** Who acted: a SPIFFE id, or `//mayfly/broker`, `//mayfly/revoker`, `//mayfly/auditor`. */
  actor: z.string(),
  at: z.string(),
};
const code = z.enum(REFUSAL_CODES);
export type { Lineage } from './lineage.js';
const cause = z.enum(CUT_CAUSES);
const suspensionCause = z.enum(SUSPENSION_CAUSES);
const driftSignal = z.enum(DRIFT_SIGNALS);

export type { Check } from './check.js';

const evidence = z.object({
  state: z.enum(['disabled', 'absent']),
  sessionsEnded: z.int().nonnegative(),
  observations: z.int().positive(),
  incarnation: z.string(),
  nodes: z.object({ seen: z.int(), expected: z.int() }),
});

export const outboundSchemas = {
  /** `topic`, `partition`, `offset` name the refused record; `valueSha256` its bytes. `taskId` is a claim of an unverified record. */
  'event.rejected': z.object({
    ...common,
    code,
    reason: z.string(),
    fields: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
    record: z.object({
      topic: z.string(),
      partition: z.int(),
      offset: z.string(),
      valueSha256: z.string(),
      ceId: z.string().optional(),
      ceType: z.string().optional(),
    }),
    /** The sender, only where it was authenticated. */
    sender: z.string().optional(),
    /** So many of one partition, sender and code, told together above a rate: `record` is the first, `last` the last of them. */
    count: z.int().positive().optional(),
    last: z.object({ offset: z.string(), valueSha256: z.string() }).optional(),
  }),
  'task.accepted': z.object({
    ...common,
    ...toldDeclaration,
    principal: z.object({ id: z.string(), kind: z.string(), proved: z.enum(['token', 'asserted']) }),
    purpose: z.string(),
    objectiveSha256: z.string(),
    proofKey: z.string(),
  }),
  'task.refused': z.object({ ...common, ...declarationRefused }),
  /**
   * A new authorization: the whole declaration as it is from now on, and a new generation: leases of lower ones are dead. Purpose,
   * objective and principal are those of `task.accepted`.
   */
  'task.amended': z.object({
    ...common,
    ...toldDeclaration,
    cause: z.enum(['amended', 'rekeyed']),
    /** An agent whose next event says with which key it goes on. */
    rekeyed: z.string().optional(),
    reason: z.string().optional(),
  }),
  /** The task stays as it is. */
  'task.amendment_refused': z.object({ ...common, ...declarationRefused }),
  /** `generation` is the new one: leases of lower ones are dead. By an operator it is a person who says so: `actor`, and why. */
  'task.suspended': z.object({ ...common, cause: suspensionCause, reason: z.string().optional() }),
  /**
   * This cause is gone. Leases of the present generation may be made once none is left; nothing comes back to life. After drift, or an
   * operator's word, it is a person who says so: `actor`, and why.
   */
  'task.resumed': z.object({ ...common, cause: suspensionCause, reason: z.string().optional() }),
  /** Somebody who was authenticated may not say this of the task. */
  'task.order_rejected': z.object({
    ...common,
    by: z.string(),
    order: z.enum(['suspend', 'resume']),
    code,
    reason: z.string(),
  }),
  'task.ended': z.object({
    ...common,
    /** `deadline`: nobody ended it before. `parent_ended`: an ancestor has ended, whatever way. */
    outcome: z.enum(['completed', 'failed', 'cancelled', 'deadline', 'parent_ended']),
  }),
  'call.decided': z.object({
    ...common,
    callId: z.string(),
    agent: z.string(),
    tool: z.string(),
    dataset: z.string().optional(),
    action: z.string(),
    decision: z.enum(['permit', 'deny', 'approval_required']),
    code: code.optional(),
    checks: z.array(check),
    policySet: z.string(),
    /** Digest of the kept decision inputs. */
    inputs: z.string().optional(),
    obligations: z.object({ ttlMs: z.int().positive().nullable(), approval: z.string().nullable() }),
    leaseId: z.string().optional(),
    callDigest: z.string(),
    /** RFC 7638 thumbprints: of the key the credential is sealed to, and of the agent's proof key. */
    sealTo: z.string().optional(),
    proofKey: z.string(),
    argumentsSha256: z.string().optional(),
    promptCommitment: z.string().optional(),
    /** The agent's own word. */
    model: z.object({ name: z.string(), version: z.string().optional() }).optional(),
    /** What of it is drift, each once. */
    signals: z.array(driftSignal).optional(),
  }),
  /**
   * Drift was seen: told where it changes the score, and else each time that the number of times has doubled. `count`: how often this
   * agent gave this signal, since the start or since a person let the task go on. `score`: of the whole task, 0 to 100.
   */
  'drift.signalled': z.object({
    ...common,
    agent: z.string(),
    signal: driftSignal,
    weight: z.int().nonnegative(),
    score: z.int().nonnegative(),
    count: z.int().positive(),
    callId: z.string().optional(),
    leaseId: z.string().optional(),
  }),
  ...approvalEvents(common),
  'lease.intended': z.object({
    ...common,
    ...planSchema.shape,
    callId: z.string(),
    agent: z.string(),
    agentGeneration: z.int().positive().optional(),
    lineage,
  }),
  'lease.issued': z.object({
    ...common,
    leaseId: z.string(),
    callId: z.string(),
    agent: z.string(),
    notAfter: z.string(),
    incarnation: z.string(),
  }),
  'lease.abandoned': z.object({
    ...common,
    leaseId: z.string(),
    callId: z.string(),
    /** True when the target's answer to the create was seen, or the create was never sent by the one who says so. */
    answered: z.boolean(),
    why: z.string(),
  }),
  'lease.renewed': z.object({ ...common, ...leaseRenewed }),
  'lease.renewal_refused': z.object({ ...common, ...renewalRefused }),
  /** Its agent gives it back: it is of no use to it any more. */
  'lease.returned': z.object({ ...common, leaseId: z.string(), agent: z.string() }),
  'lease.revocation_requested': z.object({ ...common, leaseId: z.string(), cause, requestedAt: z.string() }),
  'lease.access_cut': z.object({
    ...common,
    leaseId: z.string(),
    cause,
    evidence,
    requestedAt: z.string(),
    cutAt: z.string(),
    exposureMs: z.int().nonnegative(),
  }),
  'lease.removed': z.object({ ...common, leaseId: z.string(), cause }),
  'lease.revocation_unproven': z.object({
    ...common,
    leaseId: z.string(),
    cause,
    attempts: z.int().positive(),
    since: z.string(),
    /** So far, and counting. */
    exposureMs: z.int().nonnegative().optional(),
    mayExistUntil: z.string().optional(),
    code: z.string(),
  }),
  'lease.vanished': z.object({ ...common, leaseId: z.string() }),
  ...orderEvents(common),
  /**
   * A record that could not be handled was set aside; told again where an operator had it tried and it failed once more, and
   * then `by` and `reason` are theirs. `taskId` only where its sender is entitled for that task.
   */
  'dead_letter.parked': z.object({ ...common, ...deadLetterParked }),
  /** It was handled after all, or given up, at an operator's word: `by` and `reason` are theirs. */
  'dead_letter.released': z.object({ ...common, ...deadLetterReleased }),
  /** A principal of ours at a target that no lease explains. It is cut, which is told as of any lease, and in short. */
  'orphan.found': z.object({ ...common, leaseId: z.string(), target: z.string(), principal: z.string() }),
  /** Proven, with the evidence of the `lease.access_cut` beside it. */
  'orphan.cut': z.object({ ...common, ...orphanCut }),
  /** A target is in another life than it was last seen in: it was started again, or restored. What is there is compared with the ledger at once. */
  'target.restarted': z.object({ ...common, ...targetRestarted }),
  /** A principal of somebody else's can reach governed datasets, by no lease; told again where it reaches more. */
  'standing_access.found': z.object({ ...common, ...standingAccessFound }),
  'standing_access.gone': z.object({ ...common, ...standingAccessGone }),
  /**
   * A service's database was restored from an older state, and goes on in a new epoch. `swept`: said by the revoker, once every
   * target was looked at since, and what nothing explains is on its way out.
   */
  'store.restored': z.object({
    ...common,
    service: z.enum(SERVICES),
    epoch: z.string(),
    swept: z.boolean(),
  }),
  /**
   * Another key signs tokens from now on. `previous` verifies until the last token it signed has expired; without it, this
   * is the first one.
   */
  'signing_key.rotated': z.object({ ...common, ...signingKeyRotated }),
  /** One of our own accounts at a target has another password from now on. Leases go on. */
  'target_account.rotated': z.object({ ...common, ...targetAccountRotated }),
  /**
   * Another policy set decides from now on, or the first one. `added`, `removed` and `changed` are ids of policies; all are empty where
   * only the schema is another. Told once for each change, however many brokers there are.
   */
  'policy.activated': z.object({
    ...common,
    /** Digests, `sha256:<hex>`. */
    policySet: z.string(),
    previous: z.string().optional(),
    added: z.array(z.string()),
    removed: z.array(z.string()),
    changed: z.array(z.string()),
    /** How many it has. */
    policies: z.int().nonnegative(),
    /** The login that owns the newest file of the folder. Nobody checks it. */
    by: z.string(),
  }),
  /**
   * Another catalogue is gone by from now on, or the first one: told once for each change, however many brokers there are. Where
   * policies changed with it, both changed at once.
   */
  'catalogue.activated': z.object({ ...common, ...catalogueActivated }),
  /** Somebody read the audit. */
  'access.read': z.object({
    ...common,
    reader: z.string(),
    role: z.string(),
    route: z.string(),
    subject: z.string().optional(),
    /** What was asked for, `sha256:<hex>`. */
    query: z.string().optional(),
    /** Size of the log that the answer was of. */
    asOf: z.int().nonnegative().optional(),
    /** How many reads this one stands for. */
    count: z.int().positive().optional(),
  }),
} as const;

export type OutboundType = keyof typeof outboundSchemas;
export type OutboundData<T extends OutboundType = OutboundType> = z.infer<(typeof outboundSchemas)[T]>;
export type OutboundEvent = { [T in OutboundType]: { type: T; data: OutboundData<T> } }[OutboundType];
export type EventOf<T extends OutboundType> = Extract<OutboundEvent, { type: T }>;

/** Answers on the delivery topic. `credential.delivered` is a compact JWE; the others are JSON. */
export const deliverySchemas = {
  'lease.ended': z.object({ taskId: z.string(), leaseId: z.string(), cause }),
  'call.refused': z.object({
    taskId: z.string(),
    callId: z.string(),
    /** Whose call it was: ids of calls are unique only per agent. */
    agent: z.string(),
    code,
    reasons: z.array(z.string()),
  }),
  ...renewalNotices,
  /** It waits for people; the outcome comes later, and here too. */
  'call.pending': z.object({
    taskId: z.string(),
    callId: z.string(),
    agent: z.string(),
    approval: z.string(),
    expiresAt: z.string(),
  }),
} as const;
export const CREDENTIAL_DELIVERED = 'credential.delivered';
export type DeliveryType = keyof typeof deliverySchemas;

export const isOutboundType = (type: string | undefined): type is OutboundType =>
  type !== undefined && Object.hasOwn(outboundSchemas, type);
