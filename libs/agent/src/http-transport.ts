/**
 * Over HTTPS (CloudEvents HTTP binary mode): the bus's events with the same proofs, and the reply brings the outcome. Answers that
 * are lost or late are asked for again; Mayfly answers a call once, however often it is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OutgoingRecord } from '#bus/bus.js';
import { anySignal } from '#events/any-signal.js';
import { AgentError } from './agent-error.js';
import type { PendingCall, PendingRenewal } from './answer-book.js';
import { clockSkewHint } from './clock-skew.js';
import { readReply } from './http-reply.js';
import type { Reply } from './http-reply.js';
import { Refused } from './refused.js';
import { secureUrl } from './secure-url.js';
import type { Letter, Patience, Renewed, TaskWord, Transport } from './transport.js';

export interface HttpTransportSettings {
  /** The broker's: `https://mayfly.example`. */
  url: string;
  fetch?: typeof globalThis.fetch;
  /** Before the first repetition; doubled for each further one, up to 2 s. */
  retryAfterMs?: number;
  clock?: () => number;
}

const MOST_WAIT_MS = 2_000;
/** Longer than the broker makes anybody wait: then the connection is dead. */
const ATTEMPT_MS = 30_000;

const PATHS: Record<TaskWord, (taskId: string) => string> = {
  'task.started': () => '/v1/tasks',
  'task.amended': (taskId) => `/v1/tasks/${taskId}/amend`,
  'task.ended': (taskId) => `/v1/tasks/${taskId}/end`,
};

export class HttpTransport implements Transport {
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #retryAfterMs: number;
  readonly #clock: () => number;

  /** @throws AgentError ERR_URL_INSECURE */
  constructor({
    url,
    fetch = globalThis.fetch,
    retryAfterMs = 100,
    clock = Date.now,
  }: HttpTransportSettings) {
    this.#base = secureUrl(url).href.replace(/\/$/, '');
    this.#fetch = fetch;
    this.#retryAfterMs = retryAfterMs;
    this.#clock = clock;
  }

  async tell(type: TaskWord, taskId: string, letter: Letter, patience: Patience): Promise<void> {
    const reply = await this.#post(PATHS[type](taskId), letter, patience);
    if (reply.is === 'taken' && reply.taskId === taskId) return;
    throw reply.is === 'refused' ? this.#refused(reply) : unforeseen(reply);
  }

  async ask(call: PendingCall, letter: Letter, patience: Patience): Promise<string> {
    const reply = await this.#post(`/v1/tasks/${call.taskId}/calls`, letter, patience);
    switch (reply.is) {
      case 'envelope':
        return reply.envelope;
      case 'pending':
        throw new AgentError(
          'ERR_APPROVAL_PENDING',
          'the call waits for an approval: ask again with its id',
          {
            callId: call.callId,
            ...(reply.approval === undefined ? {} : { approval: reply.approval }),
          },
        );
      case 'refused':
        throw this.#refused(reply);
      default:
        throw unforeseen(reply);
    }
  }

  async renew({ leaseId }: PendingRenewal, letter: Letter, patience: Patience): Promise<Renewed> {
    const reply = await this.#post(`/v1/leases/${leaseId}/renew`, letter, patience);
    if (reply.is === 'refused') throw this.#refused(reply);
    if (reply.is !== 'renewed' || reply.leaseId !== leaseId) throw unforeseen(reply);
    const { notAfter, envelope } = reply;
    return envelope === undefined ? { notAfter } : { envelope };
  }

  async #post(path: string, letter: Letter, { withinMs, signal }: Patience): Promise<Settled> {
    const untilMs = performance.now() + withinMs;
    let lost: unknown;
    for (let waitMs = this.#retryAfterMs; ; waitMs = Math.min(waitMs * 2, MOST_WAIT_MS)) {
      signal?.throwIfAborted();
      const record = await letter();
      const leftMs = untilMs - performance.now();
      const reply = await this.#attempt(path, record, Math.min(leftMs, ATTEMPT_MS), signal);
      if (reply.is !== 'lost') return reply;
      lost = reply.cause;
      const pauseMs = reply.retryAfterMs ?? waitMs;
      if (performance.now() + pauseMs >= untilMs) break;
      await sleep(pauseMs, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
    throw new AgentError('ERR_ANSWER_TIMEOUT', 'no answer came in time', { withinMs }, { cause: lost });
  }

  async #attempt(
    path: string,
    { value, headers }: OutgoingRecord,
    withinMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Reply> {
    const timeout = AbortSignal.timeout(Math.max(1, Math.floor(withinMs)));
    try {
      const response = await this.#fetch(`${this.#base}${path}`, {
        method: 'POST',
        headers: httpHeaders(headers),
        body: value === null ? null : new Uint8Array(value),
        // Nobody but the broker may have what we say and it answers.
        redirect: 'error',
        signal: signal === undefined ? timeout : anySignal(signal, timeout),
      });
      return await readReply(response);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof AgentError) throw cause;
      return { is: 'lost', cause };
    }
  }

  #refused({ code, reasons, date }: Extract<Reply, { is: 'refused' }>): Refused {
    return new Refused(code, reasons, clockSkewHint(code, date, this.#clock()));
  }
}

type Settled = Exclude<Reply, { is: 'lost' }>;

/** `ce_id` is `ce-id` here; all other names stay. */
const httpHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.replace(/^ce_/, 'ce-'), value]));

const unforeseen = ({ is }: Settled) =>
  new AgentError('ERR_BROKER_ANSWER', 'the broker answers something else than was asked', { is });
