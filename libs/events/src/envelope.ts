/**
 * CloudEvents 1.0, Kafka binary mode: the value is the data, the attributes are `ce_*` headers
 * (cloudevents/spec, bindings/kafka-protocol-binding.md §3.2). Pure: bytes in, a head or a refusal out. Nothing is verified here.
 */
import type { Refusal, RefusalCode } from './refusal.js';

type RawHeader = Uint8Array | string | null;
/** Headers as read: a header given twice is an array. Kafka lets a header have no value, which is not an empty one. */
export type RawHeaders = Record<string, RawHeader | RawHeader[] | undefined>;

/** The attributes and proofs of one record; unverified. */
export interface EventHead {
  id: string;
  source: string;
  /** Wire type, such as `dev.mayfly.task.started.v1`. */
  type: string;
  subject: string;
  /** A claim of the sender: never used in a decision. */
  time: string;
  contentType: string;
  traceparent?: string;
}

export const HEADERS = {
  specversion: 'ce_specversion',
  id: 'ce_id',
  source: 'ce_source',
  type: 'ce_type',
  subject: 'ce_subject',
  time: 'ce_time',
  contentType: 'content-type',
  svid: 'mayfly-svid',
  proof: 'mayfly-proof',
  principal: 'mayfly-subject',
  store: 'mayfly-store',
  signature: 'mayfly-sig',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
} as const;

/** Total size of one record's headers and value, before any signature is looked at. */
export const LIMITS = { valueBytes: 262_144, headerBytes: 32_768, headerCount: 64 } as const;

const refused = (
  code: RefusalCode,
  reason: string,
  fields?: Record<string, string | number>,
): { ok: false; refusal: Refusal } => ({
  ok: false,
  refusal: fields === undefined ? { code, reason } : { code, reason, fields },
});

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads the named headers as UTF-8 text. Every other header is ignored, but counts towards the limits.
 * A required header that is missing or has no value, any named header that is doubled or is no UTF-8, is a refusal.
 */
export function readHeaders<R extends string, O extends string>(
  headers: RawHeaders,
  required: readonly R[],
  optional: readonly O[],
): { ok: true; values: Record<R, string> & Partial<Record<O, string>> } | { ok: false; refusal: Refusal } {
  const names = Object.keys(headers);
  if (names.length > LIMITS.headerCount)
    return refused('ERR_RECORD_TOO_LARGE', 'too many headers', { count: names.length });
  let bytes = 0;
  for (const name of names) {
    const value = headers[name];
    for (const part of Array.isArray(value) ? value : [value]) bytes += name.length + (part?.length ?? 0);
  }
  if (bytes > LIMITS.headerBytes) return refused('ERR_RECORD_TOO_LARGE', 'headers too large', { bytes });

  const values: Record<string, string> = {};
  for (const name of [...required, ...optional]) {
    const raw = headers[name];
    if (Array.isArray(raw)) return refused('ERR_HEADER_DOUBLED', 'a header is given twice', { header: name });
    if (raw === undefined || raw === null) continue;
    try {
      values[name] = typeof raw === 'string' ? raw : utf8.decode(raw);
    } catch {
      return refused('ERR_HEADER_INVALID', 'a header is not UTF-8', { header: name });
    }
  }
  for (const name of required) {
    if (values[name] === undefined || values[name] === '')
      return refused('ERR_HEADER_MISSING', 'a header is missing', { header: name });
  }
  return { ok: true, values: values as Record<R, string> & Partial<Record<O, string>> };
}

export const HEAD_REQUIRED = [
  HEADERS.specversion,
  HEADERS.id,
  HEADERS.source,
  HEADERS.type,
  HEADERS.subject,
  HEADERS.time,
  HEADERS.contentType,
] as const;

/** The head out of headers already read. @returns a refusal for another spec version or an id that is no UUIDv7. */
export function headOf(
  values: Record<(typeof HEAD_REQUIRED)[number], string> & { traceparent?: string },
): { ok: true; head: EventHead } | { ok: false; refusal: Refusal } {
  if (values.ce_specversion !== '1.0')
    return refused('ERR_HEADER_INVALID', 'another CloudEvents version', { header: HEADERS.specversion });
  if (!/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(values.ce_id))
    return refused('ERR_HEADER_INVALID', 'not a lower-case UUIDv7', { header: HEADERS.id });
  if (Number.isNaN(Date.parse(values.ce_time)))
    return refused('ERR_HEADER_INVALID', 'not an RFC 3339 time', { header: HEADERS.time });
  return {
    ok: true,
    head: {
      id: values.ce_id,
      source: values.ce_source,
      type: values.ce_type,
      subject: values.ce_subject,
      time: values.ce_time,
      contentType: values['content-type'],
      ...(values.traceparent === undefined ? {} : { traceparent: values.traceparent }),
    },
  };
}

/** The headers of a record about to be written. */
export function writeHeaders(head: EventHead): Record<string, string> {
  return {
    [HEADERS.specversion]: '1.0',
    [HEADERS.id]: head.id,
    [HEADERS.source]: head.source,
    [HEADERS.type]: head.type,
    [HEADERS.subject]: head.subject,
    [HEADERS.time]: head.time,
    [HEADERS.contentType]: head.contentType,
    ...(head.traceparent === undefined ? {} : { [HEADERS.traceparent]: head.traceparent }),
  };
}
