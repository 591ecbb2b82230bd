/**
 * A record as Kafka stores it (message format v2), written once into a buffer of its size. kafkajs makes a buffer of 512 zeros for each
 * header and one for each length, and copies them into one another: 45 to 70 µs for a record of ours, which has ten headers.
 * @see https://kafka.apache.org/documentation/#record
 */
import { bytesOfVarint, writeVarint } from './varints.js';

type Value = Buffer | string | null | undefined;

/** What kafkajs hands over: a record's place and time within its batch, both counted from the first. */
export interface RecordOfBatch {
  offsetDelta?: number;
  timestampDelta?: number;
  key?: Value;
  value?: Value;
  headers?: Readonly<Record<string, Value | Value[]>>;
}

/** What kafkajs asks of anything encoded before it copies it. */
export interface Encoded {
  buf: Buffer;
  buffer: Buffer;
  size(): number;
}

const ATTRIBUTES = 0;

/** @throws RangeError where the batch's times are further apart than 2^52 ms. */
export function encodeRecord({
  offsetDelta = 0,
  timestampDelta = 0,
  key,
  value,
  headers = {},
}: RecordOfBatch): Encoded {
  const fields = fieldsOf(headers);
  const bodyBytes =
    1 +
    bytesOfVarint(timestampDelta) +
    bytesOfVarint(offsetDelta) +
    bytesOfField(key) +
    bytesOfField(value) +
    bytesOfVarint(fields.length / 2) +
    fields.reduce<number>((sum, field) => sum + bytesOfField(field), 0);

  const buffer = Buffer.allocUnsafe(bytesOfVarint(bodyBytes) + bodyBytes);
  let at = writeVarint(buffer, 0, bodyBytes);
  buffer[at++] = ATTRIBUTES;
  at = writeVarint(buffer, at, timestampDelta);
  at = writeVarint(buffer, at, offsetDelta);
  at = writeField(buffer, at, key);
  at = writeField(buffer, at, value);
  at = writeVarint(buffer, at, fields.length / 2);
  for (const field of fields) at = writeField(buffer, at, field);
  return { buf: buffer, buffer, size: () => buffer.length };
}

/** Name and value of each header, one after the other. One that is given more than once is an array. */
function fieldsOf(headers: NonNullable<RecordOfBatch['headers']>): Value[] {
  const fields: Value[] = [];
  for (const name of Object.keys(headers)) {
    const held = headers[name];
    if (Array.isArray(held)) for (const each of held) fields.push(name, each);
    else fields.push(name, held);
  }
  return fields;
}

const lengthOf = (value: Buffer | string) =>
  typeof value === 'string' ? Buffer.byteLength(value) : value.length;

function bytesOfField(value: Value): number {
  if (value === null || value === undefined) return bytesOfVarint(-1);
  const bytes = lengthOf(value);
  return bytesOfVarint(bytes) + bytes;
}

function writeField(buffer: Buffer, at: number, value: Value): number {
  if (value === null || value === undefined) return writeVarint(buffer, at, -1);
  const from = writeVarint(buffer, at, lengthOf(value));
  return from + (typeof value === 'string' ? buffer.write(value, from) : value.copy(buffer, from));
}
