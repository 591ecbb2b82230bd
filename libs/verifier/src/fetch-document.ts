/** One small document over HTTP, from a place that the configuration names: bounded in time and size, and never from anywhere else. */

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface DocumentRequest {
  url: string;
  accept: string;
  maxBytes: number;
  timeoutMs?: number;
  fetch?: Fetch;
  /** Of a request that is no GET. */
  post?: { headers: Record<string, string>; body: string };
}

const TIMEOUT_MS = 5_000;

/** @throws Error with a constant message: no answer in time, a redirect, another status than 200, too many bytes. */
export async function fetchDocument({
  url,
  accept,
  maxBytes,
  timeoutMs = TIMEOUT_MS,
  fetch = globalThis.fetch,
  post,
}: DocumentRequest): Promise<Buffer> {
  // `redirect: 'error'`: who answers for the configured host may not send us to another.
  const response = await fetch(url, {
    method: post === undefined ? 'GET' : 'POST',
    headers: { accept, ...post?.headers },
    ...(post === undefined ? {} : { body: post.body }),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error('the answer has another status than 200');
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Counted as it comes: `content-length` is a claim, and is of the compressed body.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** @throws TypeError for what is neither https nor on this machine: keys and lists fetched in clear are anybody's. */
export function secureUrl(url: string): string {
  const { protocol, hostname } = new URL(url);
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isLocal)) return url;
  throw new TypeError('neither https nor on this machine');
}
