/**
 * Numbers as records hold them: seven bits a byte, least first, and near 0 the shorter (Protocol Buffers' `sint64`). Not counted by bits: a
 * time may need more of them than 32.
 * @see https://protobuf.dev/programming-guides/encoding/#signed-ints
 */
const SEVEN_BITS = 0x80;
const MOST = 2 ** 52;
/** Of the last byte that a 64-bit number can have. */
const LAST_PLACE = 2 ** 63;

const zigzag = (value: number) => (value < 0 ? -2 * value - 1 : 2 * value);

export function bytesOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS)) bytes += 1;
  return bytes;
}

/** @returns where it ends. @throws RangeError of what is no integer, or further from 0 than 2^52 */
export function writeVarint(buffer: Buffer, at: number, value: number): number {
  if (!Number.isInteger(value) || Math.abs(value) > MOST) throw new RangeError('not a number of a record');
  let end = at;
  let rest = zigzag(value);
  for (; rest >= SEVEN_BITS; rest = Math.floor(rest / SEVEN_BITS))
    buffer[end++] = (rest % SEVEN_BITS) | SEVEN_BITS;
  buffer[end++] = rest;
  return end;
}

/** Reads them one after the other, with what they tell the length of. Each throws a RangeError where the bytes end too soon. */
export class Varints {
  #at = 0;

  constructor(private readonly buffer: Buffer) {}

  byte(): number {
    const byte = this.buffer[this.#at];
    if (byte === undefined) throw new RangeError('a record ends too soon');
    this.#at += 1;
    return byte;
  }

  /** @throws RangeError further from 0 than 2^52 */
  number(): number {
    let zigzagged = 0;
    for (let place = 1; ; place *= SEVEN_BITS) {
      const byte = this.byte();
      zigzagged += (byte % SEVEN_BITS) * place;
      if (zigzagged > 2 * MOST || place > LAST_PLACE) throw new RangeError('not a number of a record');
      if (byte < SEVEN_BITS) break;
    }
    return zigzagged % 2 === 0 ? zigzagged / 2 : -(zigzagged + 1) / 2;
  }

  /** What has a length before it; null where that is -1. */
  bytes(): Buffer | null {
    const range = this.#range();
    return range && this.buffer.subarray(...range);
  }

  text(): string {
    const range = this.#range();
    if (range === null) throw new RangeError('a header without a name');
    return this.buffer.toString('utf8', ...range);
  }

  #range(): [from: number, to: number] | null {
    const length = this.number();
    if (length === -1) return null;
    const from = this.#at;
    const to = from + length;
    if (length < 0 || to > this.buffer.length) throw new RangeError('a record ends too soon');
    this.#at = to;
    return [from, to];
  }
}
