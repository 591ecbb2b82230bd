/** The one way to the network: one document from an address of the configuration. No redirect, no address out of a token. */
import { IdentityError } from './errors.js';
import { MAX_KEY_SET_BYTES } from './key-set.js';

export interface FetchLimits {
  /** For all of it: name, connection, TLS, answer. */
  timeoutMs: number;
  maxBytes: number;
}

const LIMITS: FetchLimits = { timeoutMs: 5_000, maxBytes: MAX_KEY_SET_BYTES };

/**
 * @returns the body of a 200 answer, at most `maxBytes` of it, unpacked.
 * @throws IdentityError ERR_IDENTITY_FETCH_FAILED for everything else, a redirect too: whoever may redirect could name the keys.
 */
export async function fetchDocument(url: string, limits: FetchLimits = LIMITS): Promise<Buffer> {
  const failed = (message: string, fields: Record<string, string | number> = {}, cause?: unknown) =>
    new IdentityError('ERR_IDENTITY_FETCH_FAILED', message, { url, ...fields }, { cause });
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.timeout(limits.timeoutMs),
      headers: { accept: 'application/json' },
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      throw failed('the address answers with another status than 200', { status: response.status });
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    // Leaving the loop early cancels the body.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw failed('the document is too large', { maxBytes: limits.maxBytes });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw failed('the address cannot be read', {}, error);
  }
}
