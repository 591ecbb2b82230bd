/** Records of the credential topic that the broker wrote and that concern the revoker. Nothing else is believed. */
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { shortType } from '#events/inbound.js';
import { outboundSchemas, type EventOf } from '#events/outbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { verifyRecord, type PeerKeys, type VerifiedRecord } from '#identity/records.js';

const HEARD = [
  'task.accepted',
  'task.refused',
  'task.amended',
  'task.suspended',
  'task.revoked',
  'task.ended',
  'lease.intended',
  'lease.issued',
  'lease.abandoned',
  'lease.renewed',
  'lease.returned',
  'approval.withdrawn',
  'signing_key.rotated',
  'store.restored',
] as const;
type HeardType = (typeof HEARD)[number];
/** Of a withdrawn approval only what had come to a lease concerns us. */
type Withdrawn = {
  type: 'approval.withdrawn';
  data: EventOf<'approval.withdrawn'>['data'] & { leaseId: string };
};
export type BrokerEvent =
  | { [T in Exclude<HeardType, 'approval.withdrawn'>]: EventOf<T> }[Exclude<HeardType, 'approval.withdrawn'>]
  | Withdrawn;

export type Hearing =
  | { is: 'heard'; event: BrokerEvent; ceId: string; verified: VerifiedRecord }
  /** The broker's, but nothing for us. */
  | { is: 'passed'; verified: VerifiedRecord }
  /** Another service's, our own, or nothing that concerns us. */
  | { is: 'foreign' }
  /** `authentic`: the broker did write it, and yet it cannot be read. */
  | { is: 'refused'; code: RefusalCode; authentic: boolean };

/** What a record claims to be, where that would concern us. */
export function claimedType(record: BusRecord): HeardType | undefined {
  const claimed = shortType(record.headers[HEADERS.type]?.toString() ?? '');
  return HEARD.find((heard) => heard === claimed);
}

export function hearRecord(record: BusRecord, peers: PeerKeys): Hearing {
  if (claimedType(record) === undefined) return { is: 'foreign' };
  const verified = verifyRecord(record, peers);
  if (!verified.ok) return { is: 'refused', code: verified.refusal.code, authentic: false };
  if (verified.service !== 'broker') return { is: 'foreign' };
  const type = HEARD.find((heard) => heard === shortType(verified.head.type));
  if (type === undefined) return { is: 'passed', verified };

  const data = outboundSchemas[type].safeParse(jsonOf(record));
  if (!data.success) return { is: 'refused', code: 'ERR_DATA_INVALID', authentic: true };
  if (type === 'approval.withdrawn' && !('leaseId' in data.data)) return { is: 'passed', verified };
  const event = { type, data: data.data } as BrokerEvent;
  if (event.data.taskId !== verified.head.subject || !isUsable(event))
    return { is: 'refused', code: 'ERR_DATA_INVALID', authentic: true };
  return { is: 'heard', event, ceId: verified.head.id, verified };
}

function jsonOf(record: BusRecord): unknown {
  try {
    return JSON.parse(record.value?.toString('utf8') ?? '');
  } catch {
    return undefined;
  }
}

/** What the schema does not say: times that are times, and a lineage that begins with the task itself. */
function isUsable(event: BrokerEvent): boolean {
  if (event.type === 'lease.renewed') return Number.isFinite(Date.parse(event.data.notAfter));
  if (event.type !== 'lease.intended') return true;
  const { taskId, generation, lineage, at, createBy, notAfter, hardEnd } = event.data;
  const [own] = lineage;
  return (
    own?.taskId === taskId &&
    own.generation === generation &&
    [at, createBy, notAfter, hardEnd].every((time) => Number.isFinite(Date.parse(time)))
  );
}
