/**
 * Who wrote a record, as far as it can be proved: the same checks as broker and revoker make, and none of their decisions.
 * A record that nobody can be proved to have written is logged too, as that.
 */
import type { BusRecord } from '#bus/bus.js';
import { shortType } from '#events/inbound.js';
import type { RefusalCode } from '#events/refusal.js';
import type { ServiceName } from '#events/services.js';
import { TASK_EVENTS } from '#events/topics.js';
import { admit } from '#identity/admit.js';
import { verifyRecordElsewhere, type PeerKeys } from '#identity/records.js';
import type { Trust } from '#identity/trust.js';

export type Judgement =
  | {
      admitted: true;
      by: 'workload';
      /** Authenticated SPIFFE id. */
      sender: string;
      eventId: string;
      /** Short type. */
      type: string;
      keyThumbprint: string;
      svidSha256: string;
      svidExpired: boolean;
    }
  | {
      admitted: true;
      by: 'service';
      service: ServiceName;
      eventId: string;
      type: string | undefined;
      /** `epoch.n` of the writer's database. */
      store: string;
      /** `ce_subject`, under the signature. */
      subject: string;
    }
  /** `sender` only where it was authenticated although the event was refused. */
  | { admitted: false; code: RefusalCode; sender?: string };

export interface Authorities {
  trust: Trust;
  peers: PeerKeys;
}

/** Inbound topics are judged by admission rules 1 and 2, all others by our services' signatures, which other threads check. */
export async function judge(record: BusRecord, { trust, peers }: Authorities): Promise<Judgement> {
  return record.topic === TASK_EVENTS ? judgeInbound(record, trust) : await judgeOutbound(record, peers);
}

function judgeInbound(record: BusRecord, trust: Trust): Judgement {
  const admission = admit(record, trust);
  if (!admission.ok) {
    const { refusal, sender } = admission;
    return { admitted: false, code: refusal.code, ...(sender === undefined ? {} : { sender }) };
  }
  const { event, ceId, sender, proofKeyThumbprint, svidSha256, svidExpired } = admission.admitted;
  return {
    admitted: true,
    by: 'workload',
    sender,
    eventId: ceId,
    type: event.type,
    keyThumbprint: proofKeyThumbprint,
    svidSha256,
    svidExpired,
  };
}

async function judgeOutbound(record: BusRecord, peers: PeerKeys): Promise<Judgement> {
  const verified = await verifyRecordElsewhere(record, peers);
  if (!verified.ok) return { admitted: false, code: verified.refusal.code };
  const { service, head, store } = verified;
  return {
    admitted: true,
    by: 'service',
    service,
    eventId: head.id,
    type: shortType(head.type),
    store: `${store.epoch}.${store.n}`,
    subject: head.subject,
  };
}
