/**
 * One `POST <prefix>/add-checkpoint`. No redirect is followed, so that nobody but the host that an operator wrote down answers; of the answer no more is
 * read than a witness has to say, and no longer.
 */
import { anySignal } from '#events/any-signal.js';
import type { WitnessAnswer } from './witness-answer.js';

export const ASK_WITHIN_MS = 10_000;
/** Signature lines: of an ML-DSA-44 key too, and of several keys. */
const MAX_ANSWER_BYTES = 65_536;

/** @returns undefined for no answer within the time, or one that is too long. Never rejects: what is said of the other side is not repeated. */
export async function askWitness(
  prefix: string,
  body: string,
  signal: AbortSignal,
  withinMs = ASK_WITHIN_MS,
): Promise<WitnessAnswer | undefined> {
  try {
    const response = await fetch(`${prefix}/add-checkpoint`, {
      ...{ method: 'POST', body, redirect: 'manual' },
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      signal: anySignal(AbortSignal.timeout(withinMs), signal),
    });
    const text = await boundedText(response);
    return text === undefined ? undefined : { status: response.status, body: text };
  } catch {
    return undefined;
  }
}

async function boundedText({ body }: Response): Promise<string | undefined> {
  if (body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    // Leaving the loop cancels the rest.
    if (bytes > MAX_ANSWER_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
