/** Reads the partitions that a member holds, a few at a time, each in order, and hands over what it finds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { BusError, type BusRecord, type Position, type Subscription } from '../bus.js';
import { assertInRange } from '../log-bounds.js';
import { BATCH_TRIES, backoffMs } from '../tries.js';
import type { Place } from './assignment.js';
import { fetchRecords, type Fetched } from './log-reader.js';
import { unreachable } from './postgres-error.js';

/** Batches in hand at once, of 1 MiB at most each: what a slow handler leaves unread stays in the database. */
const PARTITIONS_AT_ONCE = 4;
/** Long enough for the restart of a server. */
export const GIVE_UP_AFTER_MS = 20_000;
export const TRY_AGAIN_MS = 250;

/** A partition whose lock this member holds. */
export interface Held extends Place {
  /** Next offset to hand over; undefined until it is restored. */
  next: bigint | undefined;
  /** Nothing more of it is handed over. */
  lost: boolean;
  running: Promise<void> | undefined;
}

export interface ReaderParts {
  db: Database;
  log: Log;
  onBatch: Subscription['onBatch'];
  /** True once the member stops or is dead. */
  isOver: () => boolean;
  /** Told of what ends the subscription. */
  onFailure: (error: unknown) => void;
  /** Given each handler's run, to be waited for. */
  track: (work: Promise<void>) => void;
}

export class PartitionReaders {
  readonly #parts: ReaderParts;
  /** Partitions that may have something to read, the longest waiting first. */
  readonly #due = new Set<Held>();
  #reading = 0;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** Hands nothing more over than what is in hand. */
  lose(held: Held): void {
    held.lost = true;
    this.#due.delete(held);
  }

  /** Reads a partition as soon as its turn comes. */
  read(held: Held): void {
    if (held.next === undefined || held.lost) return;
    this.#due.add(held);
    this.#startReading();
  }

  #startReading(): void {
    for (const held of this.#due) {
      if (this.#parts.isOver() || this.#reading >= PARTITIONS_AT_ONCE) return;
      // It looks at what is due when it has ended.
      if (held.running !== undefined) continue;
      this.#due.delete(held);
      this.#reading += 1;
      held.running = this.#handOver(held)
        .catch((error: unknown) => this.#parts.onFailure(error))
        .finally(() => {
          this.#reading -= 1;
          held.running = undefined;
          this.#startReading();
        });
      this.#parts.track(held.running);
    }
  }

  /** Fetches once and hands over what came. */
  async #handOver(held: Held): Promise<void> {
    const { topic, partition, next = 0n } = held;
    const fetched = await this.#fetch(held, { topic, partition, next });
    if (fetched === undefined || held.lost || this.#parts.isOver()) return;
    const { low, high, records } = fetched;
    assertInRange(next, { topic, partition, low, high });
    if (records.length > 0 && !(await this.#handle(held, records))) return;
    held.next = records.length > 0 ? (records.at(-1)?.offset ?? next) + 1n : high;
    if (held.next < high && !held.lost) this.#due.add(held);
  }

  async #fetch(held: Held, from: Position): Promise<Fetched | undefined> {
    const endMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      try {
        return await fetchRecords(this.#parts.db, from);
      } catch (error) {
        if (performance.now() > endMs) throw unreachable(error, 'fetch');
        this.#parts.log.warn(
          { err: error, topic: from.topic, partition: from.partition },
          'not read, trying again',
        );
        await sleep(TRY_AGAIN_MS);
        if (held.lost || this.#parts.isOver()) return undefined;
      }
    }
  }

  /** True once the handler has taken the records; false when they are to be fetched again, here or by another member. */
  async #handle(held: Held, records: readonly BusRecord[]): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#parts.onBatch(records);
        return true;
      } catch (error) {
        const { topic, partition } = held;
        const where = { topic, partition, offset: String(records[0]?.offset), attempt };
        this.#parts.log.warn({ err: error, ...where }, 'batch handler failed');
        if (attempt === BATCH_TRIES) throw crashed('a batch handler failed too often', error, where);
        await sleep(backoffMs(attempt));
        if (held.lost || this.#parts.isOver()) return false;
      }
    }
  }
}

/** What ends a subscription that nothing else explains. */
export const crashed = (message: string, cause: unknown, fields: Record<string, string | number> = {}) =>
  cause instanceof BusError && cause.code === 'ERR_BUS_CRASHED'
    ? cause
    : new BusError('ERR_BUS_CRASHED', message, fields, { cause });
