/** Bodies of requests, bounded before they are read and while they are. */
import type { IncomingMessage } from 'node:http';
import { TransportError } from './problems.js';

/** @throws TransportError ERR_BODY_TOO_LARGE, ERR_BODY_UNREADABLE, ERR_MEDIA_TYPE */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { 'content-encoding': encoding, 'content-length': length } = request.headers;
  // What is packed may be anything when it is unpacked.
  if (encoding !== undefined && encoding !== 'identity')
    throw new TransportError('ERR_MEDIA_TYPE', 'a packed body is not read');
  if (Number(length ?? 0) > maxBytes) throw tooLarge();
  return await new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
      if (bytes <= maxBytes) return void parts.push(part);
      // The rest is not kept; the connection ends with the answer.
      parts.length = 0;
      reject(tooLarge());
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    const broken = () => reject(new TransportError('ERR_BODY_UNREADABLE', 'the body ended before its end'));
    request.on('error', broken);
    request.on('close', broken);
  });
}

const tooLarge = () => new TransportError('ERR_BODY_TOO_LARGE', 'the body is too large');
