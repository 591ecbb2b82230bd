/** When the next transaction of an intake begins, and how much it takes on: at once and much where somebody waits, otherwise as others leave room. */
import type { BusRecord } from '#bus/bus.js';
import { BatchRoom } from './batch-room.js';
import type { IntakeParts } from './intake-parts.js';
import { countIn, weightOf } from './next-batch.js';

export type PaceParts = Pick<
  IntakeParts<unknown, unknown>,
  'weigh' | 'hurries' | 'aimMs' | 'calmAimMs' | 'gatherMs' | 'restsFor'
>;

export class Pace {
  readonly weigh: (record: BusRecord) => number;
  readonly hurries: (record: BusRecord) => boolean;
  readonly #parts: PaceParts;
  readonly #room: BatchRoom;
  /** Of batches in which nobody is waited for. */
  readonly #calmRoom: BatchRoom;
  #since = 0;
  #restUntilMs = 0;

  constructor(parts: PaceParts) {
    this.#parts = parts;
    this.weigh = parts.weigh ?? (() => 1);
    this.hurries = parts.hurries ?? (() => false);
    this.#room = new BatchRoom(parts.aimMs);
    this.#calmRoom = new BatchRoom(parts.calmAimMs ?? parts.aimMs);
  }

  /** What waits gathers from now on. */
  gather(): void {
    this.#since = performance.now();
  }

  /** What waits gathers and rests no longer. */
  hurry(): void {
    this.#since = -Infinity;
    this.#restUntilMs = 0;
  }

  room(waiting: readonly BusRecord[]): BatchRoom {
    return waiting.some(this.hurries) ? this.#room : this.#calmRoom;
  }

  /** How many of them one transaction takes on. */
  count(waiting: readonly BusRecord[]): number {
    return countIn(waiting, this.room(waiting).size, this.weigh);
  }

  /** Until the next transaction begins; not above 0: now. */
  waitMs(waiting: readonly BusRecord[]): number {
    const { gatherMs = 0 } = this.#parts;
    if (this.room(waiting) === this.#room) return 0;
    const isFull = this.count(waiting) < waiting.length;
    const untilMs = Math.max(isFull ? 0 : this.#since + gatherMs, this.#restUntilMs);
    return Math.ceil(untilMs - performance.now());
  }

  /** @param room the one that the batch was chosen by @param wasMore whether others waited that it had no room for @param waiting now */
  took(
    room: BatchRoom,
    ms: number,
    batch: readonly BusRecord[],
    wasMore: boolean,
    waiting: readonly BusRecord[],
  ): void {
    room.took(ms, weightOf(batch, this.weigh), wasMore);
    if (room === this.#calmRoom) this.#rest(ms, waiting);
  }

  #rest(tookMs: number, waiting: readonly BusRecord[]): void {
    const { restsFor } = this.#parts;
    if (restsFor === undefined) return;
    const nowMs = Date.now();
    const oldestMs = waiting.reduce((oldest, { appendedAtMs }) => Math.min(oldest, appendedAtMs), nowMs);
    this.#restUntilMs = performance.now() + restsFor(tookMs, nowMs - oldestMs);
  }
}
