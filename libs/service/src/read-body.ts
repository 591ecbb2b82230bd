/** Bodies of requests, bounded before they are read and while they are. */
import type { IncomingMessage } from 'node:http';

export type BodyErrorCode = 'ERR_BODY_TOO_LARGE' | 'ERR_BODY_INVALID';

/** @param refused makes the service's own error. @throws it */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
  refused: (code: BodyErrorCode, detail: string) => Error,
): Promise<Buffer> {
  const { 'content-encoding': encoding, 'content-length': length } = request.headers;
  // What is packed may be anything when it is unpacked.
  if (encoding !== undefined && encoding !== 'identity')
    throw refused('ERR_BODY_INVALID', 'a packed body is not read');
  const tooLarge = () => refused('ERR_BODY_TOO_LARGE', 'the body is too large');
  if (Number(length ?? 0) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBytes) break;
      parts.push(part);
    }
  } catch {
    throw refused('ERR_BODY_INVALID', 'the body ended before its end');
  }
  if (bytes > maxBytes) throw tooLarge();
  return Buffer.concat(parts);
}
