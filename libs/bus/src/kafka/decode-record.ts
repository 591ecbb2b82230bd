/**
 * A record as Kafka stores it (message format v2), read from its body. kafkajs counts in `BigInt`s bit by bit, and gathers the headers by copying
 * the object for each of them, which takes time with the square of their number: one record of 100 kB with 20,000 headers held
 * a reader for 87 seconds, past its session, for ever.
 * @see https://kafka.apache.org/documentation/#record
 */
import { foldHeaders, type Header } from '../fold-headers.js';
import { Varints } from './varints.js';

/** What kafkajs knows of the batch. */
export interface BatchContext {
  /** int64, as text; and what each record's own is counted from. */
  firstOffset: string;
  firstTimestamp: string;
  /** That of all records where Kafka sets the time itself. */
  maxTimestamp?: string;
  timestampType?: number;
  magicByte?: number;
  isControlBatch?: boolean;
}

/** What kafkajs hands on. */
export interface DecodedRecord {
  magicByte: number | undefined;
  attributes: number;
  timestamp: string;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: ReturnType<typeof foldHeaders>;
  isControlRecord: boolean;
  batchContext: BatchContext;
}

const LOG_APPEND_TIME = 1;

/** @param body the record without its length; key, value and headers are views of it. @throws RangeError where it ends too soon. */
export function decodeRecord(body: { buffer: Buffer }, batchContext: BatchContext): DecodedRecord {
  const { firstOffset, firstTimestamp, maxTimestamp, timestampType, magicByte, isControlBatch } =
    batchContext;
  const fields = new Varints(body.buffer);
  const attributes = fields.byte();
  const timestampDelta = fields.number();
  const offsetDelta = fields.number();
  const isAppendTime = timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined;
  return {
    magicByte,
    attributes,
    timestamp: isAppendTime ? maxTimestamp : sum(firstTimestamp, timestampDelta),
    offset: sum(firstOffset, offsetDelta),
    key: fields.bytes(),
    value: fields.bytes(),
    headers: foldHeaders(headersOf(fields)),
    isControlRecord: isControlBatch ?? false,
    batchContext,
  };
}

function headersOf(fields: Varints): Header[] {
  const count = fields.number();
  const headers: Header[] = [];
  while (headers.length < count) headers.push({ key: fields.text(), value: fields.bytes() });
  return headers;
}

function sum(first: string, delta: number): string {
  const added = Number(first) + delta;
  return Number.isSafeInteger(added) ? String(added) : String(BigInt(first) + BigInt(delta));
}
