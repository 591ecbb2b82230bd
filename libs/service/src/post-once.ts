/**
 * One POST to somebody outside, at an address that an operator wrote down. No redirect is followed: who answers for that host may
 * not send our words, or our authorization, to another. Of the answer nothing but its status is read, however long it is.
 */
import { anySignal } from '#events/any-signal.js';

export interface Post {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** For the headers of the answer. */
  withinMs: number;
  signal: AbortSignal;
}

/** `code` is that of the system or the client; no text of the other side, and no address, is in it. */
export type Posted =
  { is: 'answered'; status: number; retryAfterMs: number | null } | { is: 'unanswered'; code: string };

/** The code of what its own `signal` ended. */
export const STOPPED = 'stopped';

/** Never rejects. */
export async function postOnce({ url, headers, body, withinMs, signal }: Post): Promise<Posted> {
  try {
    const response = await fetch(url, {
      ...{ method: 'POST', headers, body, redirect: 'manual' },
      signal: anySignal(AbortSignal.timeout(withinMs), signal),
    });
    const { status } = response;
    await response.body?.cancel().catch(() => undefined);
    return { is: 'answered', status, retryAfterMs: retryAfterMs(response.headers.get('retry-after')) };
  } catch (error) {
    return { is: 'unanswered', code: codeOf(error) };
  }
}

/** RFC 9110 §10.2.3, in seconds; a date is not understood. */
function retryAfterMs(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : null;
}

/** `fetch` tells what went wrong by the cause of its error. */
function codeOf(error: unknown): string {
  const { name, code, cause } = (error ?? {}) as {
    name?: unknown;
    code?: unknown;
    cause?: { code?: unknown };
  };
  if (name === 'TimeoutError') return 'timeout';
  if (name === 'AbortError') return STOPPED;
  const found = cause?.code ?? code;
  return typeof found === 'string' ? found : 'unknown';
}
