/** What is told of records that could not be taken: the events, and the copy for the dead-letter topic, without tokens. */
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS, LIMITS, type EventHead, type RawHeaders } from '#events/envelope.js';
import { uuidV7, wireType } from '#events/inbound.js';
import { outboundSchemas, type EventOf } from '#events/outbound.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { CREDENTIAL_EVENTS, deadLetterTopic } from '#events/topics.js';
import type { UnsignedRecord } from './outbox.js';
import { keyText, sha256Hex, storable, type Parked, type ParkedWhy } from './parking.js';

/** Who tells it, and when. A consumer group of ours has the name of its service. */
export interface Teller {
  group: ServiceName;
  atMs: number;
}

type DeadLetterEvent = EventOf<'dead_letter.parked'> | EventOf<'dead_letter.released'>;

/** The letter, wherever it is kept by now. `keyText` and `valueSha256` outlive its bytes. */
export interface LetterFacts {
  id: bigint;
  topic: string;
  partition: number;
  offset: bigint;
  keyText: string;
  valueSha256: string;
  holds: boolean;
}

/** An operator's word: who gave it, and why. */
export interface Order {
  by: string;
  reason?: string;
}

/** The records that follow from parking: an event for each that has a row, and a copy of every one. */
export function parkedRecords(parked: readonly Parked[], teller: Teller): UnsignedRecord[] {
  return parked.flatMap(({ letter: { record, why, code, holds }, id }) => {
    const copy = deadLetterCopy(record, code, teller);
    if (id === null) return [copy];
    const { topic, partition, offset } = record;
    const facts = {
      id,
      topic,
      partition,
      offset,
      keyText: keyText(record.key),
      valueSha256: sha256Hex(record.value ?? ''),
      holds,
    };
    return [parkedRecord(facts, { why, code, attempts: 1 }, teller), copy];
  });
}

/** @param order of the operator who had it tried again, where it failed once more. */
export const parkedRecord = (
  letter: LetterFacts,
  failed: { why: ParkedWhy; code: string; attempts: number },
  teller: Teller,
  order?: Order,
): UnsignedRecord =>
  eventRecord(
    {
      type: 'dead_letter.parked',
      data: {
        ...common(letter, teller),
        ...failed,
        code: storable(failed.code),
        holds: letter.holds,
        ...order,
      },
    },
    teller,
  );

export const releasedRecord = (
  letter: LetterFacts,
  how: 'retried' | 'dropped',
  order: Order,
  teller: Teller,
): UnsignedRecord =>
  eventRecord({ type: 'dead_letter.released', data: { ...common(letter, teller), how, ...order } }, teller);

/** A task is named only by a record whose sender is entitled for it, which is what lets one hold its key. */
const common = (letter: LetterFacts, { group, atMs }: Teller) => ({
  taskId: letter.holds && uuidV7.safeParse(letter.keyText).success ? letter.keyText : 'unknown',
  generation: 0,
  actor: serviceSource(group),
  at: new Date(atMs).toISOString(),
  group,
  letterId: String(letter.id),
  record: {
    topic: letter.topic,
    partition: letter.partition,
    offset: String(letter.offset),
    valueSha256: letter.valueSha256,
  },
});

function eventRecord(event: DeadLetterEvent, teller: Teller): UnsignedRecord {
  const { taskId } = event.data;
  return {
    topic: CREDENTIAL_EVENTS,
    key: taskId,
    head: headOf(event.type, taskId, teller, 'application/json'),
    value: Buffer.from(JSON.stringify(outboundSchemas[event.type].parse(event.data))),
  };
}

const headOf = (type: string, subject: string, { group, atMs }: Teller, contentType: string): EventHead => ({
  id: uuidv7(),
  source: serviceSource(group),
  type: wireType(type),
  subject,
  time: new Date(atMs).toISOString(),
  contentType,
});

/**
 * A record for its dead-letter topic: raw bytes, tokens replaced by their SHA-256. A value that the bus could not carry
 * again with our headers is left out: its digest and place are enough to find it.
 */
export function deadLetterCopy(record: BusRecord, code: string, teller: Teller): UnsignedRecord {
  const fits = record.value === null || record.value.length <= LIMITS.valueBytes;
  return {
    topic: deadLetterTopic(teller.group, record.topic),
    key: storable((record.key ?? Buffer.alloc(0)).subarray(0, 256)),
    head: headOf('dead_letter', 'unknown', teller, 'application/octet-stream'),
    value: fits ? record.value : null,
    extra: {
      'dlq-code': storable(code),
      'dlq-topic': record.topic,
      'dlq-partition': String(record.partition),
      'dlq-offset': String(record.offset),
      'dlq-value-sha256': sha256Hex(record.value ?? ''),
      ...originalHeaders(record.headers),
    },
  };
}

const KEPT_HEADERS_BYTES = 32_768;
const TOKENS: readonly string[] = [HEADERS.svid, HEADERS.principal];

/** Headers of a hostile record as text that can be stored and shown, with `prefix` before each name; tokens as their SHA-256. */
export function shownHeaders(headers: RawHeaders, prefix = ''): Record<string, string> {
  const kept: Record<string, string> = {};
  let bytes = 0;
  for (const [name, raw] of Object.entries(headers)) {
    if (raw === undefined) continue;
    const text = (Array.isArray(raw) ? raw : [raw]).map((value) => storable(value ?? '')).join(', ');
    const shown = TOKENS.includes(name.toLowerCase()) ? `sha256:${sha256Hex(text)}` : text;
    bytes += name.length + shown.length;
    if (bytes > KEPT_HEADERS_BYTES) break;
    kept[`${prefix}${storable(name)}`] = shown;
  }
  return kept;
}

const originalHeaders = (headers: RawHeaders) => shownHeaders(headers, 'dlq-header-');
