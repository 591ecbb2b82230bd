/**
 * Sends rows to one receiver outside: a few at once, in no order, again and again until it takes them. What the rows are, and where
 * they are kept, is the owner's; two processes with the same rows share them by the claims.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { jittered, pacedMs, type Pace } from '#events/backoff.js';

/** `refused`: this row. `away`: whatever is sent now; `afterMs` where the receiver says when. */
export type Sent = { is: 'taken' } | { is: 'refused' } | { is: 'away'; afterMs?: number };

export interface OutletParts<Row extends { attempts: number }> {
  /** Takes what is due, the oldest first. Nobody else gets it for longer than a `send` lasts. */
  claim: (limit: number) => Promise<Row[]>;
  send: (row: Row, signal: AbortSignal) => Promise<Sent>;
  /** @param again those that were not taken, and after how long they are due. */
  settle: (taken: readonly Row[], again: readonly { row: Row; waitMs: number }[]) => Promise<void>;
  /** The rows cannot be read or written. */
  failed: (error: unknown) => void;
  /** Of a receiver that is away, and of a row that it refuses. */
  pace: Pace;
  atOnce: number;
  /** Also looks so often for what nobody woke it for. */
  lookEveryMs: number;
}

/** What a receiver may ask for at most. */
const LONGEST_WAIT_MS = 3_600_000;

export class Outlet<Row extends { attempts: number }> {
  readonly #stop = new AbortController();
  #wake = new AbortController();
  #failures = 0;
  #askedToWaitMs = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly parts: OutletParts<Row>) {}

  start(): void {
    this.#running = this.#run();
  }

  /** There is something to be sent. A receiver that is away is not asked sooner for that. */
  wake(): void {
    if (this.#failures === 0) this.#wake.abort();
  }

  async stop(): Promise<void> {
    // What is under way may have arrived: it is sent again, and known by its id.
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { lookEveryMs, failed } = this.parts;
    while (!this.#stop.signal.aborted) {
      let more = false;
      try {
        more = await this.#turn();
      } catch (error) {
        failed(error);
      }
      if (more && this.#failures === 0) continue;
      await this.#nap(this.#failures > 0 ? this.#awayMs() : lookEveryMs);
    }
  }

  #awayMs(): number {
    return Math.min(LONGEST_WAIT_MS, Math.max(this.#pauseMs(this.#failures), this.#askedToWaitMs));
  }

  #pauseMs(failures: number): number {
    return jittered(pacedMs(failures, this.parts.pace), Math.random());
  }

  async #nap(ms: number): Promise<void> {
    if (!this.#stop.signal.aborted)
      await sleep(ms, undefined, { signal: this.#wake.signal, ref: false }).catch(() => undefined);
    this.#wake = new AbortController();
  }

  /** @returns whether more may be due. */
  async #turn(): Promise<boolean> {
    const { claim, send, settle, atOnce } = this.parts;
    // Who was away is asked with one.
    const limit = this.#failures > 0 ? 1 : atOnce;
    const rows = await claim(limit);
    if (rows.length === 0) return false;
    const answers = await Promise.all(
      rows.map(async (row) => ({ row, sent: await send(row, this.#stop.signal) })),
    );
    this.#note(answers.map(({ sent }) => sent));
    await settle(
      answers.flatMap(({ row, sent }) => (sent.is === 'taken' ? [row] : [])),
      answers.flatMap(({ row, sent }) => {
        if (sent.is === 'taken') return [];
        return [{ row, waitMs: sent.is === 'away' ? 0 : this.#pauseMs(row.attempts + 1) }];
      }),
    );
    return rows.length === limit;
  }

  #note(sent: readonly Sent[]): void {
    const away = sent.flatMap((each) => (each.is === 'away' ? [each.afterMs ?? 0] : []));
    this.#failures = away.length === 0 ? 0 : this.#failures + 1;
    this.#askedToWaitMs = Math.max(0, ...away);
  }
}
