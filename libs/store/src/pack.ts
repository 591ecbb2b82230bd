/**
 * Many byte strings as one parameter of a statement, which takes each out of it again: `substr(bytes, from, length)`, null for null. An array of
 * `bytea` goes to PostgreSQL as hex in text, which is twice as long, and which both sides go through letter by letter.
 */
export interface Packed {
  bytes: Buffer;
  /** Where each begins, from 1 on. */
  from: number[];
  lengths: (number | null)[];
}

export function pack(parts: readonly (Uint8Array | null)[]): Packed {
  const from: number[] = [];
  let next = 1;
  for (const part of parts) {
    from.push(next);
    next += part?.length ?? 0;
  }
  return {
    bytes: Buffer.concat(
      parts.filter((part) => part !== null),
      next - 1,
    ),
    from,
    lengths: parts.map((part) => (part === null ? null : part.length)),
  };
}
