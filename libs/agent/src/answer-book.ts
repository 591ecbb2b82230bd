/**
 * Which record answers which call. Pure bookkeeping over records of the delivery topic whose signatures have been
 * verified; the topic carries everybody's answers, and those of other agents are passed over.
 */
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED, deliverySchemas } from '#events/outbound.js';
import type { CutCause } from '#events/causes.js';
import type { RefusalCode } from '#events/refusal.js';
import { AgentError } from './agent-error.js';
import { envelopeHeader } from './open-envelope.js';
import type { SignedRecord } from './tail.js';

/** A call made, or about to be made. Ids of calls are unique only per agent, so the agent and its seal key count. */
export interface PendingCall {
  taskId: string;
  callId: string;
  /** SPIFFE id. */
  agent: string;
  /** Thumbprint of the call's seal key. */
  sealKid: string;
}

export type Answer =
  | { answer: 'delivered'; leaseId: string; envelope: string }
  | { answer: 'refused'; code: RefusalCode; reasons: string[] }
  /** It waits for people; the outcome comes later. */
  | Pending
  /** The lease had ended before its envelope was seen: the credential in it is dead. */
  | { answer: 'void'; leaseId: string; cause: CutCause };

/** A renewal asked for, or about to be. */
export interface PendingRenewal extends PendingCall {
  leaseId: string;
}

export type RenewalAnswer =
  { answer: 'renewed'; notAfter: string } | Exclude<Answer, { answer: 'delivered' }> | DeliveredAnew;
/** What takes the place of the old credential. */
type DeliveredAnew = Extract<Answer, { answer: 'delivered' }>;

export interface Pending {
  answer: 'pending';
  approval: string;
  expiresAt: string;
}

/** A record of the delivery topic, its signature verified. */
export type DeliveryRecord = Pick<SignedRecord, 'service' | 'head' | 'value'>;

interface Waiting {
  call: PendingCall;
  settle: (answer: Answer) => void;
  /** Absent: it is an answer like any other. */
  onPending: ((pending: Pending) => void) | undefined;
}

interface Renewing {
  renewal: PendingRenewal;
  settle: (answer: RenewalAnswer) => void;
}

export class AnswerBook {
  readonly #waiting = new Set<Waiting>();
  readonly #renewing = new Set<Renewing>();
  /** Leases of watched tasks whose end was seen, by lease id. */
  readonly #ended = new Map<string, { taskId: string; cause: CutCause }>();

  /**
   * Watches for the answer of a call. MUST be called before the call is published.
   * @param onPending it goes on watching where the call waits for people; without, that is the answer
   * @returns stops watching.
   */
  watch(
    call: PendingCall,
    settle: (answer: Answer) => void,
    onPending?: (pending: Pending) => void,
  ): () => void {
    const waiting: Waiting = {
      call,
      onPending,
      settle: (answer) => {
        this.#forget(waiting);
        settle(answer);
      },
    };
    this.#waiting.add(waiting);
    return () => this.#forget(waiting);
  }

  /** Watches for the answer of a renewal. MUST be called before it is published. @returns stops watching. */
  watchRenewal(renewal: PendingRenewal, settle: (answer: RenewalAnswer) => void): () => void {
    const renewing: Renewing = {
      renewal,
      settle: (answer) => {
        this.#renewing.delete(renewing);
        settle(answer);
      },
    };
    this.#renewing.add(renewing);
    return () => this.#renewing.delete(renewing);
  }

  /** Takes one verified record in. Never throws: what answers no call of ours, or cannot be read, is passed over. */
  take(record: DeliveryRecord): void {
    const watched = [...this.#waiting].filter(({ call }) => call.taskId === record.head.subject);
    const renewing = [...this.#renewing].filter(({ renewal }) => renewal.taskId === record.head.subject);
    // Only the broker answers; another service's signature is no answer's.
    if (watched.length + renewing.length === 0 || record.value === null || record.service !== 'broker')
      return;
    if (renewing.length > 0) tellRenewing(record, renewing);
    switch (shortType(record.head.type)) {
      case CREDENTIAL_DELIVERED:
        return this.#delivered(record, record.value.toString('ascii'), watched);
      case 'call.refused':
        return this.#refused(record, watched);
      case 'call.pending':
        return this.#pending(record, watched);
      case 'lease.ended':
        return this.#leaseEnded(record);
      default:
        return; // a newer type: tolerated
    }
  }

  #delivered(record: DeliveryRecord, envelope: string, watched: Waiting[]): void {
    const header = readable(() => envelopeHeader(envelope));
    if (header === undefined || header.taskId !== record.head.subject) return;
    const ended = this.#ended.get(header.leaseId);
    for (const { call, settle } of watched) {
      if (call.callId !== header.callId || call.agent !== header.agent || call.sealKid !== header.kid)
        continue;
      settle(
        ended === undefined
          ? { answer: 'delivered', leaseId: header.leaseId, envelope }
          : { answer: 'void', leaseId: header.leaseId, cause: ended.cause },
      );
    }
  }

  #refused(record: DeliveryRecord, watched: Waiting[]): void {
    const data = readable(() => deliverySchemas['call.refused'].parse(json(record)));
    if (data === undefined || data.taskId !== record.head.subject) return;
    for (const { call, settle } of watched) {
      if (call.callId === data.callId && call.agent === data.agent)
        settle({ answer: 'refused', code: data.code, reasons: data.reasons });
    }
  }

  #pending(record: DeliveryRecord, watched: Waiting[]): void {
    const data = readable(() => deliverySchemas['call.pending'].parse(json(record)));
    if (data === undefined || data.taskId !== record.head.subject) return;
    const { approval, expiresAt } = data;
    for (const { call, settle, onPending = settle } of watched) {
      if (call.callId === data.callId && call.agent === data.agent)
        onPending({ answer: 'pending', approval, expiresAt });
    }
  }

  #leaseEnded(record: DeliveryRecord): void {
    const data = readable(() => deliverySchemas['lease.ended'].parse(json(record)));
    if (data === undefined || data.taskId !== record.head.subject) return;
    this.#ended.set(data.leaseId, { taskId: data.taskId, cause: data.cause });
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    const { taskId } = waiting.call;
    if ([...this.#waiting].some(({ call }) => call.taskId === taskId)) return;
    for (const [leaseId, ended] of this.#ended) if (ended.taskId === taskId) this.#ended.delete(leaseId);
  }
}

/** A lease that ends while its renewal is waited for is not renewed. */
function tellRenewing(record: DeliveryRecord, renewing: readonly Renewing[]): void {
  const answer = readable(() => renewalAnswerIn(record));
  if (answer === undefined) return;
  for (const { renewal, settle } of renewing)
    if (renewal.leaseId === answer.leaseId && isTheirs(renewal, answer.to)) settle(answer.answer);
}

/** Whom a record is for, as far as it says so. */
type To = Partial<Pick<PendingRenewal, 'agent' | 'callId' | 'sealKid'>>;
const isTheirs = (renewal: PendingRenewal, to: To): boolean =>
  (['agent', 'callId', 'sealKid'] as const).every(
    (member) => to[member] === undefined || to[member] === renewal[member],
  );

function renewalAnswerIn(
  record: DeliveryRecord,
): { leaseId: string; to: To; answer: RenewalAnswer } | undefined {
  switch (shortType(record.head.type)) {
    case 'lease.renewed': {
      const { leaseId, agent, notAfter } = deliverySchemas['lease.renewed'].parse(json(record));
      return { leaseId, to: { agent }, answer: { answer: 'renewed', notAfter } };
    }
    case 'lease.renewal_refused': {
      const data = deliverySchemas['lease.renewal_refused'].parse(json(record));
      const { leaseId, agent, code, reasons } = data;
      return { leaseId, to: { agent }, answer: { answer: 'refused', code, reasons } };
    }
    case CREDENTIAL_DELIVERED: {
      const envelope = record.value!.toString('ascii');
      const { leaseId, agent, callId, kid: sealKid } = envelopeHeader(envelope);
      return { leaseId, to: { agent, callId, sealKid }, answer: { answer: 'delivered', leaseId, envelope } };
    }
    case 'lease.ended': {
      const { leaseId, cause } = deliverySchemas['lease.ended'].parse(json(record));
      return { leaseId, to: {}, answer: { answer: 'void', leaseId, cause } };
    }
    default:
      return undefined;
  }
}

const json = (record: DeliveryRecord): unknown => JSON.parse(record.value!.toString('utf8'));

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof AgentError || error instanceof SyntaxError || isZodError(error)) return undefined;
    throw error;
  }
}

const isZodError = (error: unknown) => error instanceof Error && error.name.endsWith('ZodError');
