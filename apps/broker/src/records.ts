/** Records of the broker, as they go into the outbox: strict, by the schemas that readers rely on. */
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS, type EventHead, type RawHeaders } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import {
  CREDENTIAL_DELIVERED,
  deliverySchemas,
  outboundSchemas,
  type DeliveryType,
  type OutboundEvent,
} from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import { serviceSource } from '#events/services.js';
import { CREDENTIAL_EVENTS, DELIVERY } from '#events/topics.js';
import { deadLetterCopy } from '#store/dead-letter-records.js';
import type { UnsignedRecord } from '#store/outbox.js';
import { sha256Hex, storable } from '#store/parking.js';
import type { Beyond, RefusalWindow } from './refusals.js';

export const GROUP = 'broker';
const SOURCE = serviceSource('broker');

const headOf = (
  type: string,
  subject: string,
  atMs: number,
  contentType = 'application/json',
): EventHead => ({
  id: uuidv7(),
  source: SOURCE,
  type: wireType(type),
  subject,
  time: new Date(atMs).toISOString(),
  contentType,
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

/** An answer or a notice for `mayfly.credential.delivery.v1`. */
export function deliveryRecord(
  type: DeliveryType,
  data: { taskId: string } & Record<string, unknown>,
  atMs: number,
): UnsignedRecord {
  return {
    topic: DELIVERY,
    key: data.taskId,
    head: headOf(type, data.taskId, atMs),
    value: Buffer.from(JSON.stringify(deliverySchemas[type].parse(data))),
  };
}

/** A sealed credential. `jwe` is stored in the outcome's transaction, so that asking again gets the same bytes. */
export function envelopeRecord(taskId: string, jwe: string, atMs: number): UnsignedRecord {
  return {
    topic: DELIVERY,
    key: taskId,
    head: headOf(CREDENTIAL_DELIVERED, taskId, atMs, 'application/jose'),
    value: Buffer.from(jwe),
  };
}

/** What a refused record claims to be about: for people who look; it was not verified. */
const claimed = (record: BusRecord, header: string): string | undefined => {
  const headers: RawHeaders = record.headers;
  const raw = headers[header];
  if (raw === undefined || raw === null || Array.isArray(raw) || raw.length > 256) return undefined;
  return storable(raw);
};

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function rejectionEvent(
  record: BusRecord,
  refusal: Refusal,
  sender: string | undefined,
  atMs: number,
): OutboundEvent {
  const key = record.key?.toString() ?? '';
  const ceId = claimed(record, HEADERS.id);
  const ceType = claimed(record, HEADERS.type);
  return {
    type: 'event.rejected',
    data: {
      taskId: UUID_V7.test(key) ? key : 'unknown',
      generation: 0,
      ...(ceId === undefined ? {} : { causedBy: ceId }),
      actor: SOURCE,
      at: new Date(atMs).toISOString(),
      code: refusal.code,
      reason: refusal.reason,
      ...(refusal.fields === undefined ? {} : { fields: refusal.fields }),
      record: {
        topic: record.topic,
        partition: record.partition,
        offset: String(record.offset),
        valueSha256: sha256Hex(record.value ?? ''),
        ...(ceId === undefined ? {} : { ceId }),
        ...(ceType === undefined ? {} : { ceType }),
      },
      ...(sender === undefined ? {} : { sender }),
    },
  };
}

/** Refused records that are told together. */
export function rejectionsEvent(window: RefusalWindow & { beyond: Beyond }, atMs: number): OutboundEvent {
  const { topic, partition, sender, code, beyond } = window;
  const placeOf = ({ offset, valueSha256 }: Beyond['first']) => ({ offset: String(offset), valueSha256 });
  return {
    type: 'event.rejected',
    data: {
      taskId: 'unknown',
      generation: 0,
      actor: SOURCE,
      at: new Date(atMs).toISOString(),
      code,
      reason: beyond.reason,
      record: { topic, partition, ...placeOf(beyond.first) },
      ...(sender === '' ? {} : { sender }),
      count: beyond.count,
      last: placeOf(beyond.last),
    },
  };
}

/** A refused record for its dead-letter topic. */
export const deadLetter = (record: BusRecord, refusal: Refusal, atMs: number): UnsignedRecord =>
  deadLetterCopy(record, refusal.code, { group: GROUP, atMs });
