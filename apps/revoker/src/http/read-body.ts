/** Bodies of requests, bounded before they are read and while they are. */
import type { IncomingMessage } from 'node:http';
import { ProblemError } from './problem.js';

/** @throws ProblemError ERR_BODY_TOO_LARGE, ERR_BODY_INVALID */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-encoding': encoding, 'content-length': length } = request.headers;
  // What is packed may be anything when it is unpacked.
  if (encoding !== undefined && encoding !== 'identity')
    throw new ProblemError('ERR_BODY_INVALID', 'a packed body is not read');
  if (Number(length ?? 0) > maxBytes) throw tooLarge();
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > maxBytes) throw tooLarge();
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('ERR_BODY_INVALID', 'the body ended before its end');
  }
  return Buffer.concat(parts);
}

const tooLarge = () => new ProblemError('ERR_BODY_TOO_LARGE', 'the body is too large');
