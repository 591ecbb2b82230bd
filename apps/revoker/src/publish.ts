/** Records of the revoker, as they go into the outbox: strict, by the schemas that readers rely on. */
import { v7 as uuidv7 } from 'uuid';
import { wireType } from '#events/inbound.js';
import { outboundSchemas, type OutboundEvent } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { CREDENTIAL_EVENTS, REVOCATIONS } from '#events/topics.js';
import type { UnsignedRecord } from '#store/outbox.js';

export const GROUP = 'revoker';
export const SOURCE = serviceSource('revoker');

const headOf = (type: string, subject: string, atMs: number) => ({
  id: uuidv7(),
  source: SOURCE,
  type: wireType(type),
  subject,
  time: new Date(atMs).toISOString(),
  contentType: 'application/json',
});

/** A fact for `mayfly.credential.events.v1`. @throws ZodError for what the schema does not allow: a bug of ours. */
export function credentialRecord(event: OutboundEvent, atMs: number): UnsignedRecord {
  const data = outboundSchemas[event.type].parse(event.data);
  return {
    topic: CREDENTIAL_EVENTS,
    key: event.data.taskId,
    head: headOf(event.type, event.data.taskId, atMs),
    value: Buffer.from(JSON.stringify(data)),
  };
}

/** For `mayfly.revocations.v1`. A value of null takes a record away that is past its time. */
export const revocationRecord = (key: string, value: Buffer | null, atMs: number): UnsignedRecord => ({
  topic: REVOCATIONS,
  key,
  head: headOf('revocation', key, atMs),
  value,
});

export const heartbeatRecord = (value: object, atMs: number): UnsignedRecord => ({
  topic: REVOCATIONS,
  key: 'heartbeat',
  head: headOf('revocation.heartbeat', 'heartbeat', atMs),
  value: Buffer.from(JSON.stringify(value)),
});
