/** The streams that are open: how many, how long, and their end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AuditLog } from '../audit-log.js';
import { newestSnapshot, type Snapshot } from '../query/snapshot.js';
import { ProblemError } from './problem.js';

/** In all, well below what the server takes of connections; and of one reader. */
const IN_ALL = 64;
const OF_ONE_READER = 4;
const LOOK_EVERY_MS = 500;
/** The token that opened it says less and less of who is there: after this the reader comes back with another. */
export const MAX_STREAM_MS = 15 * 60_000;

export class Streams {
  readonly #open = new Map<string, number>();
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #newest: { atMs: number; found: Promise<Snapshot | undefined> } | undefined;

  constructor(private readonly log: AuditLog) {}

  /** Aborts when all of them are to end. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  get isEnding(): boolean {
    return this.#ending.signal.aborted;
  }

  /** @throws ProblemError ERR_TOO_MANY_STREAMS */
  async hold(reader: string, work: () => Promise<void>): Promise<void> {
    const own = this.#open.get(reader) ?? 0;
    if (own >= OF_ONE_READER || this.#running.size >= IN_ALL || this.isEnding)
      throw new ProblemError('ERR_TOO_MANY_STREAMS', 'too many streams are open');
    this.#open.set(reader, own + 1);
    const running = work().finally(() => {
      this.#running.delete(running);
      const left = (this.#open.get(reader) ?? 1) - 1;
      if (left === 0) this.#open.delete(reader);
      else this.#open.set(reader, left);
    });
    this.#running.add(running);
    await running;
  }

  /** One look for all streams. */
  newest(): Promise<Snapshot | undefined> {
    const nowMs = performance.now();
    if (this.#newest === undefined || nowMs - this.#newest.atMs >= LOOK_EVERY_MS / 2)
      this.#newest = { atMs: nowMs, found: newestSnapshot(this.log.db.pool) };
    return this.#newest.found;
  }

  /** Until the next look, or the end of all streams. */
  async wait(): Promise<void> {
    await sleep(LOOK_EVERY_MS, undefined, { signal: this.#ending.signal, ref: false }).catch(() => undefined);
  }

  /** Ends them: readers come back to another auditor, at the entry where they were. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#running);
  }
}
