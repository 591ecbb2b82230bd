/** A record of the task topic, taken apart: sizes, headers, type, JSON. Nothing here needs a key, and nothing here proves who sent it. */
import type { BusRecord } from '#bus/bus.js';
import { HEAD_REQUIRED, HEADERS, LIMITS, headOf, readHeaders, type EventHead } from '#events/envelope.js';
import { isInboundType, shortType, type InboundType } from '#events/inbound.js';
import { isObject, parseJson } from './bytes.js';
import { refuse, type Checked } from './refuse.js';

/** The parts of a record: all of them claims. */
export interface InboundRecord {
  head: EventHead;
  type: InboundType;
  svid: string;
  proof: string;
  /** Token of the person on whose behalf a task runs. */
  personToken?: string;
  value: Buffer;
  /** The value as JSON; its `taskId` is the record's key and `ce_subject`. */
  data: Record<string, unknown>;
}

const JSON_MEDIA_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
/** W3C Trace Context §3.2.2. No proof covers it, so nothing but this shape gets in. */
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Sizes first, then headers, then the half of rule 1 that needs no token. */
export function readInboundRecord(record: BusRecord): Checked<{ inbound: InboundRecord }> {
  const { value } = record;
  if (value !== null && value.length > LIMITS.valueBytes)
    return refuse('ERR_RECORD_TOO_LARGE', 'the value is too large', { bytes: value.length });
  const read = readHeaders(
    record.headers,
    [...HEAD_REQUIRED, HEADERS.svid, HEADERS.proof],
    [HEADERS.traceparent, HEADERS.principal],
  );
  if (!read.ok) return read;
  const personToken = read.values[HEADERS.principal];
  const headed = headOf(read.values);
  if (!headed.ok) return headed;
  const { traceparent, ...head } = headed.head;
  if (!JSON_MEDIA_TYPE.test(head.contentType))
    return refuse('ERR_HEADER_INVALID', 'the content type is not JSON', { header: HEADERS.contentType });
  const type = shortType(head.type);
  if (!isInboundType(type)) return refuse('ERR_TYPE_UNKNOWN', 'no event of ours has this type');

  if (record.key === null || !record.key.equals(Buffer.from(head.subject)))
    return refuse('ERR_KEY_MISMATCH', 'the key is not ce_subject');
  if (value === null) return refuse('ERR_JSON_MALFORMED', 'the record has no value');
  const parsed = parseJson(value);
  if (!parsed.ok || !isObject(parsed.value))
    return refuse('ERR_JSON_MALFORMED', 'the value is no JSON object in UTF-8');
  if (parsed.value.taskId !== head.subject)
    return refuse('ERR_KEY_MISMATCH', 'the task id in the data is not the key');
  return {
    ok: true,
    inbound: {
      head: { ...head, ...(traceparent !== undefined && TRACEPARENT.test(traceparent) && { traceparent }) },
      type,
      svid: read.values[HEADERS.svid],
      proof: read.values[HEADERS.proof],
      ...(personToken !== undefined && { personToken }),
      value,
      data: parsed.value,
    },
  };
}
