/** Security events for those who fetch them (RFC 8936). What is not acknowledged is handed out again. */
import { z } from 'zod';
import { verifyBearer } from '#identity/bearer.js';
import type { Trust } from '#identity/trust.js';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { ProblemError } from '../http/problem.js';
import { dropByJti, readEvents, type EventRow } from './event-rows.js';
import type { PollReceiver } from './receivers.js';

export const MAX_POLL_BYTES = 65_536;
const MAX_EVENTS = 100;
const MAX_TOKEN_CHARS = 8_192;
/** Shorter than what stands in between will wait, and than the service takes to stop. */
const WAIT_MS = 5_000;
/** Polls that each receiver may have waiting, or running. */
const AT_ONCE = 4;

const jti = z.string().max(256);
const pollRequest = z.object({
  maxEvents: z.int().min(0).optional(),
  returnImmediately: z.boolean().optional(),
  ack: z.array(jti).max(1_000).optional(),
  setErrs: z
    .record(jti, z.object({ err: z.string().max(256), description: z.string().max(4_096).optional() }))
    .refine((errors) => Object.keys(errors).length <= 1_000)
    .optional(),
});

export interface PollAnswer {
  sets: Record<string, string>;
  moreAvailable?: true;
}

export interface PollParts {
  db: Database;
  trust: Trust;
  receivers: readonly PollReceiver[];
  sign: (row: EventRow, audience: string) => string;
  /** Resolves when there may be something new, and in any case by then. */
  news: (withinMs: number) => Promise<void>;
  log: Log;
  /** Told of each that is not to be told again. */
  settled: (receiver: string, how: 'taken' | 'refused') => void;
}

export class Poll {
  readonly #running = new Map<string, number>();

  constructor(private readonly parts: PollParts) {}

  /**
   * Before the body is read. A receiver that is none, and one of somebody else's, are the same answer.
   * @throws ProblemError ERR_UNAUTHENTICATED, ERR_FORBIDDEN
   */
  admit(receiverId: string, authorization: string | undefined, nowMs: number): PollReceiver {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_CHARS)
      throw new ProblemError('ERR_UNAUTHENTICATED', 'a JWT-SVID is needed as bearer token');
    const verified = verifyBearer(token, this.parts.trust, nowMs);
    if (!verified.ok)
      throw new ProblemError('ERR_UNAUTHENTICATED', 'the bearer token is refused', {
        reason: verified.refusal.code,
      });
    const receiver = this.parts.receivers.find(({ id }) => id === receiverId);
    if (receiver?.poller !== verified.id)
      throw new ProblemError('ERR_FORBIDDEN', 'the caller is not the receiver');
    return receiver;
  }

  /** @throws ProblemError ERR_BODY_INVALID, ERR_RATE_LIMITED */
  async answer(receiver: PollReceiver, body: Buffer): Promise<PollAnswer> {
    const { ack = [], setErrs = {}, returnImmediately = false, maxEvents = MAX_EVENTS } = requestOf(body);
    const running = this.#running.get(receiver.id) ?? 0;
    if (running >= AT_ONCE) throw new ProblemError('ERR_RATE_LIMITED', 'too many polls at once');
    this.#running.set(receiver.id, running + 1);
    try {
      await this.#settle(receiver, ack, setErrs);
      if (maxEvents === 0) return { sets: {} };
      const limit = Math.min(maxEvents, MAX_EVENTS);
      const first = await this.#read(receiver, limit);
      return first ?? (returnImmediately ? { sets: {} } : await this.#wait(receiver, limit));
    } finally {
      this.#running.set(receiver.id, (this.#running.get(receiver.id) ?? 1) - 1);
    }
  }

  async #settle(
    { id: receiver }: PollReceiver,
    ack: readonly string[],
    setErrs: Readonly<Record<string, { err: string }>>,
  ): Promise<void> {
    const { db, settled, log } = this.parts;
    for (let n = await dropByJti(db, receiver, ack); n > 0; n -= 1) settled(receiver, 'taken');
    const refused = await dropByJti(db, receiver, Object.keys(setErrs));
    if (refused === 0) return;
    // What it says of them is its own text, and stays out of our log.
    log.error({ receiver, events: refused }, 'a receiver refuses security events: they are not told again');
    for (let n = 0; n < refused; n += 1) settled(receiver, 'refused');
  }

  async #wait(receiver: PollReceiver, limit: number): Promise<PollAnswer> {
    const endMs = Date.now() + WAIT_MS;
    for (;;) {
      const leftMs = endMs - Date.now();
      if (leftMs <= 0) return { sets: {} };
      await this.parts.news(leftMs);
      const answer = await this.#read(receiver, limit);
      if (answer !== null) return answer;
    }
  }

  async #read({ id, audience }: PollReceiver, limit: number): Promise<PollAnswer | null> {
    const rows = await readEvents(this.parts.db, id, limit + 1);
    if (rows.length === 0) return null;
    const sets = Object.fromEntries(
      rows.slice(0, limit).map((row) => [row.event.jti, this.parts.sign(row, audience)]),
    );
    return { sets, ...(rows.length > limit ? { moreAvailable: true } : {}) };
  }
}

function requestOf(body: Buffer): z.output<typeof pollRequest> {
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8'));
  } catch {
    throw new ProblemError('ERR_BODY_INVALID', 'the body is no JSON');
  }
  const { success, data } = pollRequest.safeParse(json);
  if (!success) throw new ProblemError('ERR_BODY_INVALID', 'the body is no poll of RFC 8936');
  return data;
}
