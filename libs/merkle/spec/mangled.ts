/** Texts that are nearly another one: the method of golang/mod sumdb/note. */

/** Every proper part. */
export function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let from = 0; from < text.length; from += 1)
    for (let to = from + 1; to <= text.length; to += 1)
      if (to - from < text.length) parts.push(text.slice(from, to));
  return parts;
}

/** One character plus one. */
export const incrementsOf = (text: string): string[] =>
  Array.from(
    { length: text.length },
    (_, at) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) + 1) + text.slice(at + 1),
  );

/** One bit of the UTF-8 flipped. */
export function flipsOf(text: string): string[] {
  const bytes = Buffer.from(text);
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    return copy.toString();
  });
}
