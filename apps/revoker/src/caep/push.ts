/** Pushes security events to one receiver (RFC 8935): a few at once, in no order, again and again until it takes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { claimEvents, dropEvents, postpone, type EventRow } from './event-rows.js';
import type { PushReceiver } from './receivers.js';

export interface PushParts {
  db: Database;
  receiver: PushReceiver;
  sign: (row: EventRow, audience: string) => string;
  log: Log;
  /** Told of each that was taken. */
  taken: () => void;
}

const AT_ONCE = 8;
const ANSWER_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;

/** Doubles with each failure, up to a minute. */
const pauseMs = (failures: number) =>
  Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10));

/** `refused`: this event. `away`: whatever is sent now. */
type Answer = 'taken' | 'refused' | 'away';

export class Push {
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #failures = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: PushParts) {}

  start(): void {
    this.#running = this.#run();
  }

  /** There is something to be sent. A receiver that is away is not asked sooner for that. */
  wake(): void {
    if (this.#failures === 0) this.#wake.abort();
  }

  async stop(): Promise<void> {
    // What is under way may have arrived: it is told again, and known by its id.
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      let wentOut = 0;
      try {
        wentOut = await this.#turn();
      } catch (err) {
        this.parts.log.error({ err, receiver: this.parts.receiver.id }, 'security events cannot be read');
      }
      if (wentOut === AT_ONCE && this.#failures === 0) continue;
      await this.#nap(this.#failures > 0 ? pauseMs(this.#failures) : LOOK_EVERY_MS);
    }
  }

  async #nap(ms: number): Promise<void> {
    if (!this.#stop.signal.aborted)
      await sleep(ms, undefined, { signal: this.#wake.signal, ref: false }).catch(() => undefined);
    this.#wake = new AbortController();
  }

  /** @returns how many were tried. */
  async #turn(): Promise<number> {
    const { db, receiver, taken } = this.parts;
    // Who was away is asked with one.
    const rows = await claimEvents(db, receiver.id, this.#failures > 0 ? 1 : AT_ONCE, Date.now());
    const answers = await Promise.all(rows.map(async (row) => ({ row, answer: await this.#send(row) })));
    const done = answers.filter(({ answer }) => answer === 'taken');
    await dropEvents(
      db,
      done.map(({ row }) => row.id),
    );
    for (let n = 0; n < done.length; n += 1) taken();
    if (answers.some(({ answer }) => answer === 'away')) this.#failures += 1;
    else if (rows.length > 0) this.#failures = 0;
    const nowMs = Date.now();
    await postpone(
      db,
      answers.flatMap(({ row: { id, attempts }, answer }) => {
        if (answer === 'taken') return [];
        return [{ id, dueAtMs: answer === 'away' ? nowMs : nowMs + pauseMs(attempts + 1) }];
      }),
    );
    return rows.length;
  }

  async #send(row: EventRow): Promise<Answer> {
    const { receiver, sign, log } = this.parts;
    const { id, url, audience, authorization } = receiver;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/secevent+jwt',
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: sign(row, audience),
        // Who answers for the configured host may not send our authorization to another.
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), this.#stop.signal]),
      });
      const { status } = response;
      // Whatever it says besides is not needed, and may be long.
      await response.body?.cancel();
      if (status === 202 || status === 200) return 'taken';
      log.warn(
        { receiver: id, status, attempts: row.attempts + 1 },
        'a receiver does not take a security event',
      );
      return status === 400 ? 'refused' : 'away';
    } catch (err) {
      log.warn({ err, receiver: id, attempts: row.attempts + 1 }, 'a receiver of security events is away');
      return 'away';
    }
  }
}
