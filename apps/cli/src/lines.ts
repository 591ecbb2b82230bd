/** Lines out of chunks as they come, without their ends; what follows the last end is a line too, if it is not empty. */
export type Input = AsyncIterable<Uint8Array | string>;

export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/** In batches, each with the lines that a chunk completed. @throws LineTooLong */
export async function* linesOf(chunks: Input, maxBytes: number): AsyncGenerator<Buffer[]> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk as Uint8Array);
    const last = bytes.lastIndexOf(LINE_END);
    if (last < 0) {
      parts.push(bytes);
      held += bytes.length;
    } else {
      const whole = Buffer.concat([...parts, bytes.subarray(0, last)]);
      parts = [bytes.subarray(last + 1)];
      held = parts[0]?.length ?? 0;
      yield split(whole, maxBytes);
    }
    if (held > maxBytes) throw new LineTooLong('a line is too long');
  }
  const rest = Buffer.concat(parts);
  if (rest.length > 0) yield [rest];
}

const LINE_END = 0x0a;

function split(whole: Buffer, maxBytes: number): Buffer[] {
  const lines: Buffer[] = [];
  for (let at = 0; at <= whole.length;) {
    const end = whole.indexOf(LINE_END, at);
    const line = whole.subarray(at, end < 0 ? whole.length : end);
    if (line.length > maxBytes) throw new LineTooLong('a line is too long');
    lines.push(line);
    at += line.length + 1;
  }
  return lines;
}
