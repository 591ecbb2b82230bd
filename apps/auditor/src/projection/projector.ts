/**
 * Follows the log with the projections: entries that a signed head covers, in turns. It never hurries before ingest: after a turn that left something to
 * do it rests for as long as that turn took. One auditor does it, the one at work; two who both believe it take turns by the position's lock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { projectTurn, readPosition, signedSize } from '#projection/turn.js';
import { transact, type Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';

const LOOK_EVERY_MS = 500;
/** So far behind the log it rests no longer than its turns take, however full the machine is. */
const FAR_ENTRIES = 50_000n;

export interface ProjectorParts {
  db: Database;
  /** How long a turn that took so long is to be followed by another's work; for as long as it took if that is longer. */
  restMs?: (tookMs: number) => number;
  warn: (fields: object, message: string) => void;
}

export class Projector {
  readonly #parts: ProjectorParts;
  #following: { stop: () => Promise<void> } | undefined;
  #stopped = false;

  constructor(parts: ProjectorParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#following = repeat(
      LOOK_EVERY_MS,
      () => catchUp(this.#parts.db, () => !this.#stopped, this.#parts.restMs),
      (err) => this.#parts.warn({ err }, 'the projections do not follow the log'),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#following?.stop();
  }
}

/** Until they stand where the newest signed head does. */
export async function catchUp(
  db: Database,
  mayGoOn: () => boolean = () => true,
  restMs: (tookMs: number) => number = () => 0,
): Promise<void> {
  const signed = await signedSize(db.pool);
  let { next } = await readPosition(db.pool);
  while (next < signed && mayGoOn()) {
    const beganMs = performance.now();
    next = await transact(db, (tx) => projectTurn(tx, 'live', signed));
    const tookMs = performance.now() - beganMs;
    if (next < signed) await sleep(pauseMs(tookMs, signed - next, restMs), undefined, { ref: false });
  }
}

/** @param left entries that are still to be followed */
export const pauseMs = (tookMs: number, left: bigint, restMs: (tookMs: number) => number): number =>
  left > FAR_ENTRIES ? tookMs : Math.max(tookMs, restMs(tookMs));
