/**
 * The part of the Protocol Buffers wire format (protobuf.dev, "Encoding") that the Workload API needs: fields that have a length.
 * Other fields are skipped, as every reader must. Bytes that are no message are a RangeError.
 */

const VARINT = 0;
const FIXED_64 = 1;
const LENGTH = 2;
const FIXED_32 = 5;

/** A text or a message as a field. An empty one is left out: absent and empty are the same in proto3. */
export function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  if (bytes.length === 0) return bytes;
  return Buffer.concat([varint((number << 3) | LENGTH), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The fields of a message that have a length, in their order. @throws RangeError */
export function* fieldsOf(message: Buffer): Generator<{ number: number; bytes: Buffer }> {
  let at = 0;
  const take = (length: number) => {
    if (length > message.length - at) throw new RangeError('a field ends after its message');
    at += length;
    return message.subarray(at - length, at);
  };
  const readVarint = () => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = take(1)[0] ?? 0;
      // Only lengths and field numbers are used, and neither has more than 31 bits; the rest is read to be skipped.
      if (shift < 28) value |= (byte & 0x7f) << shift;
      else if (shift === 28) value += (byte & 0x07) * 2 ** 28;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number has no end');
  };
  while (at < message.length) {
    const tag = readVarint();
    switch (tag & 7) {
      case VARINT:
        readVarint();
        break;
      case FIXED_64:
        take(8);
        break;
      case FIXED_32:
        take(4);
        break;
      case LENGTH:
        yield { number: tag >>> 3, bytes: take(readVarint()) };
        break;
      default:
        throw new RangeError('a field of a kind that there is not');
    }
  }
}
