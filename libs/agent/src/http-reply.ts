/** A reply of the broker, read with limits. Nothing in it is believed but what it says of itself: TLS says who answered. */
import { REFUSAL_CODES } from '#events/refusal.js';
import { AgentError } from './agent-error.js';

export type Reply =
  /** The event about this task was taken. */
  | { is: 'taken'; taskId: string }
  | { is: 'envelope'; envelope: string }
  /** `envelope`: of what takes the place of the old credential. */
  | { is: 'renewed'; leaseId: string; notAfter: string; envelope?: string }
  | { is: 'pending'; approval?: string }
  | { is: 'refused'; code: string; reasons: string[]; date: string | null }
  /** It is not known what became of it: ask again. */
  | { is: 'lost'; cause: unknown; retryAfterMs?: number };

const MAX_REPLY_BYTES = 131_072;
const MAX_REASONS = 32;
const MAX_REASON_CHARACTERS = 1_024;

/** @throws AgentError ERR_BROKER_ANSWER for what is no answer of a broker; what the connection throws */
export async function readReply(response: Response): Promise<Reply> {
  const { status, headers } = response;
  const text = await readText(response);
  if (status === 202) return { is: 'pending', ...approvalIn(text) };
  if (status === 200 && mediaType(headers) === 'application/jose') return { is: 'envelope', envelope: text };
  if ((status === 200 || status === 201) && mediaType(headers) === 'application/json') {
    const { taskId, ...rest } = membersOf(text);
    const renewed = renewalIn(rest);
    if (renewed !== undefined) return renewed;
    if (typeof taskId === 'string') return { is: 'taken', taskId };
  }

  const problem = problemIn(text);
  const isDecided = REFUSAL_CODES.some((code) => code === problem?.code);
  // What was decided stays so, whatever its status; `ERR_ANSWER_PENDING`, a busy broker and a gateway between us pass.
  if (!isDecided && (status >= 500 || status === 429 || status === 408))
    return {
      is: 'lost',
      cause: new AgentError('ERR_BROKER_ANSWER', 'the broker cannot answer now', {
        status,
        ...(problem === undefined ? {} : { code: problem.code }),
      }),
      ...retryAfter(headers),
    };
  if (problem === undefined)
    throw new AgentError('ERR_BROKER_ANSWER', 'the answer is none of a broker', { status });
  return { is: 'refused', ...problem, date: headers.get('date') };
}

const mediaType = (headers: Headers) => headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();

async function readText({ body, status }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_REPLY_BYTES)
      throw new AgentError('ERR_BROKER_ANSWER', 'the answer is too large', { status });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** RFC 9457, with the stable `code`, and `reasons` where policy gave some. */
function problemIn(text: string): { code: string; reasons: string[] } | undefined {
  const { code, reasons, detail, title } = membersOf(text);
  if (typeof code !== 'string' || !/^ERR_[A-Z0-9_]{1,60}$/.test(code)) return undefined;
  const given = (Array.isArray(reasons) ? reasons : [detail ?? title]) as unknown[];
  const said = given.filter((each): each is string => typeof each === 'string');
  return { code, reasons: said.slice(0, MAX_REASONS).map((each) => each.slice(0, MAX_REASON_CHARACTERS)) };
}

function renewalIn({
  leaseId,
  notAfter,
  envelope,
}: Record<string, unknown>): Extract<Reply, { is: 'renewed' }> | undefined {
  if (typeof leaseId !== 'string' || typeof notAfter !== 'string' || Number.isNaN(Date.parse(notAfter)))
    return undefined;
  return { is: 'renewed', leaseId, notAfter, ...(typeof envelope === 'string' ? { envelope } : {}) };
}

function approvalIn(text: string): { approval?: string } {
  const { approval } = membersOf(text);
  return typeof approval === 'string' && approval.length <= 128 ? { approval } : {};
}

function membersOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function retryAfter(headers: Headers): { retryAfterMs?: number } {
  const seconds = headers.get('retry-after');
  return seconds !== null && /^\d{1,4}$/.test(seconds) ? { retryAfterMs: Number(seconds) * 1000 } : {};
}
