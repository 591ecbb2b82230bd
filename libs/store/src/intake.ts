/**
 * What stands between the bus and a service's decisions: a buffer and one running flush. Records of all partitions gather while
 * a batch commits, so one transaction serves many when there are many, and nobody waits for a timer when there is one.
 *
 * Nothing is lost here: the positions move in the transaction of the effects, and what is only in the buffer is read again.
 * Nothing is skipped: a failing database is waited for, with the bus held up behind a full buffer; a record that cannot be
 * handled is parked, and only what depends on it waits.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BusRecord } from '#bus/bus.js';
import { consumeBatch } from './consume.js';
import { answerOf, Last, type Tx } from './database.js';
import { HeldKeys } from './held.js';
import { IdlePositions } from './idle-positions.js';
import type { IntakeParts } from './intake-parts.js';
import { nextBatch } from './next-batch.js';
import type { Move } from './offsets.js';
import { Overtaking } from './overtaking.js';
import { Pace } from './pace.js';
import { readOf, Readings } from './readings.js';
import { isTransient } from './transient.js';

/** What waits in here, at most, before the bus is held up. */
const WAITING_MAX = 2_000;
const WAITING_BYTES_MAX = 32 * 2 ** 20;
const BUG_TRIES = 3;
const BUG_PAUSE_MS = 50;
const ASIDE_TRIES = 5;
const LONGEST_PAUSE_MS = 5_000;

const bytesOf = (record: BusRecord) => (record.value?.byteLength ?? 0) + 1_000;

class Dropped extends Error {}

export class Intake<R, E> {
  readonly #parts: IntakeParts<R, E>;
  readonly #readings: Readings<R>;
  readonly #held: HeldKeys;
  readonly #idle: IdlePositions;
  readonly #overtaking = new Overtaking();
  readonly #pace: Pace;
  #waiting: BusRecord[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #roomFor: (() => void)[] = [];
  #generation = 0;
  #stopped = false;
  #dead: Error | undefined;
  #failingSinceMs: number | undefined;

  constructor(parts: IntakeParts<R, E>) {
    this.#parts = parts;
    this.#readings = new Readings(parts.read);
    this.#held = new HeldKeys(parts.group);
    this.#idle = new IdlePositions(parts.db, parts.group, parts.warn);
    this.#pace = new Pace(parts);
  }

  /** Takes the records of one fetch. Resolves when there is room for more, which may be before they are handled. */
  async take(records: readonly BusRecord[]): Promise<void> {
    this.#assertAlive();
    if (this.#stopped || records.length === 0) return;
    if (this.#waiting.length === 0) this.#pace.gather();
    for (const record of records) {
      this.#waiting.push(record);
      this.#bytes += bytesOf(record);
    }
    this.#readAhead();
    this.#next();
    while (this.#isFull()) await new Promise<void>((resolve) => this.#roomFor.push(resolve));
    this.#assertAlive();
  }

  /** Gathers no longer. */
  hurry(): void {
    if (this.#waiting.length === 0) return;
    this.#pace.hurry();
    this.#next();
  }

  #assertAlive(): void {
    if (this.#dead !== undefined) throw this.#dead;
  }

  /** Forgets what waits: partitions move, and what is not committed is read again. MUST precede a look at the positions. */
  async forget(): Promise<void> {
    this.#drop();
    await this.#running;
    this.#overtaking.forget();
  }

  /** Resolves when nothing waits, or nothing can be taken any more. */
  async idle(): Promise<void> {
    while (this.#dead === undefined && (this.#running !== undefined || this.#waiting.length > 0)) {
      await (this.#running ?? sleep(1));
    }
  }

  /** What is parked, as of the positions just read. */
  async remember(): Promise<void> {
    await this.#held.load(this.#parts.db);
  }

  /** Finishes the transaction that runs; the rest is read again by whoever comes next. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#drop();
    await this.#running;
    await this.#idle.store();
  }

  /** How long the database has been failing; 0 while it does not. */
  failingMs(): number {
    return this.#failingSinceMs === undefined ? 0 : performance.now() - this.#failingSinceMs;
  }

  #drop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#generation += 1;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellRoom();
  }

  #isFull(): boolean {
    return this.#waiting.length >= WAITING_MAX || this.#bytes >= WAITING_BYTES_MAX;
  }

  #tellRoom(): void {
    for (const resolve of this.#roomFor.splice(0)) resolve();
  }

  #next(): void {
    if (this.#running !== undefined || this.#waiting.length === 0 || this.#dead !== undefined) return;
    const waitMs = this.#pace.waitMs(this.#waiting);
    if (waitMs > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#next();
      }, waitMs);
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running = this.#flush().finally(() => {
      this.#running = undefined;
      this.#next();
    });
  }

  /** One batch. Never rejects. */
  async #flush(): Promise<void> {
    await this.#parts.room?.();
    const { weigh, hurries } = this.#pace;
    const room = this.#pace.room(this.#waiting);
    const lineOf = (record: BusRecord) => this.#overtaking.lineOf(record);
    const { batch, rest } = nextBatch(this.#waiting, { room: room.size, weigh, hurries, lineOf });
    this.#waiting = rest;
    for (const record of batch) this.#bytes -= bytesOf(record);
    this.#readAhead();
    this.#pace.gather();
    if (!this.#isFull()) this.#tellRoom();
    const { concerns = () => true } = this.#parts;
    if (!batch.some(concerns)) return this.#pass(this.#overtaking.movesFor(batch, rest));
    const [beganMs, wasMore] = [performance.now(), rest.length > 0];
    try {
      await this.#process(batch, rest, this.#generation);
      this.#pace.took(room, performance.now() - beganMs, batch, wasMore, this.#waiting);
    } catch (error) {
      if (error instanceof Dropped) return;
      this.#dead = error instanceof Error ? error : new Error(String(error));
      this.#tellRoom();
      this.#parts.onDead(this.#dead);
    }
  }

  /** What the next batch says is read while this one commits: no sooner, because what is read takes more memory than what waits. */
  #readAhead(): void {
    if (this.#readings.areElsewhere)
      void this.#readings.begin(this.#waiting.slice(0, this.#pace.count(this.#waiting)));
  }

  #pass(moves: readonly Move[]): void {
    this.#overtaking.moved(moves);
    this.#idle.pass(moves);
  }

  /** @param left what came before any of them and is not handled, as of when they were chosen: what was dropped meanwhile is left, too. */
  async #process(
    records: readonly BusRecord[],
    left: readonly BusRecord[],
    generation: number,
  ): Promise<void> {
    for (let bugs = 1; ; bugs += 1) {
      try {
        return await this.#patiently(generation, () => this.#commit(records, left));
      } catch (error) {
        if (error instanceof Dropped) throw error;
        if (records.length > 1) {
          const half = Math.ceil(records.length / 2);
          const later = records.slice(half);
          await this.#process(records.slice(0, half), [...later, ...left], generation);
          return await this.#process(later, left, generation);
        }
        const [record] = records;
        if (record === undefined) throw error;
        if (bugs === BUG_TRIES) return await this.#aside(record, left, error, generation);
        await sleep(BUG_PAUSE_MS * bugs);
      }
    }
  }

  async #commit(records: readonly BusRecord[], left: readonly BusRecord[]): Promise<void> {
    const { handle, after, setBehind, waitsBehind } = this.#parts;
    const read = await this.#readings.of(records);
    const effects = await this.#consume(records, left, async (tx, wanted) => {
      const held = await this.#held.among(tx, wanted, wanted.length < records.length);
      const behind = wanted.filter((record) => held.has(record) && waitsBehind(record));
      const rest = behind.length === 0 ? wanted : wanted.filter((record) => !behind.includes(record));
      const told = behind.length === 0 ? [] : [await setBehind(tx, behind)];
      if (rest.length === 0) return told;
      const handled = await handle(
        tx,
        rest.map((record) => readOf(read, record)),
      );
      return new Last(answerOf(handled).then((effects) => [...told, effects]));
    });
    for (const each of effects) after(each);
  }

  async #consume<T>(
    records: readonly BusRecord[],
    left: readonly BusRecord[],
    handle: (tx: Tx, wanted: readonly BusRecord[]) => Promise<T | Last<T>>,
  ): Promise<T> {
    const moves = this.#overtaking.movesFor(records, left);
    const effects = await consumeBatch(this.#parts.db, this.#parts.group, records, handle, moves);
    this.#overtaking.moved(moves);
    return effects;
  }

  /** The record has failed by itself: it makes way, and so do those that depend on it. */
  async #aside(
    record: BusRecord,
    left: readonly BusRecord[],
    error: unknown,
    generation: number,
  ): Promise<void> {
    const { setAside, after, warn } = this.#parts;
    const { topic, partition, offset } = record;
    warn(
      { err: error, topic, partition, offset: String(offset) },
      'a record cannot be handled: it is parked',
    );
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#patiently(generation, async () => {
          const asides = await this.#consume([record], left, async (tx, wanted) =>
            wanted.length === 0 ? [] : [await setAside(tx, record, error)],
          );
          for (const { holds, effects } of asides) {
            if (holds) this.#held.add(record);
            after(effects);
          }
        });
      } catch (cause) {
        if (cause instanceof Dropped || tries === ASIDE_TRIES) throw cause;
        await sleep(BUG_PAUSE_MS * tries);
      }
    }
  }

  /** Waits for a database that fails, however long. @throws Dropped when the records are no longer ours meanwhile. */
  async #patiently(generation: number, work: () => Promise<void>): Promise<void> {
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        await work();
        this.#failingSinceMs = undefined;
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        this.#failingSinceMs ??= performance.now();
        this.#parts.warn({ err: error }, 'the database fails: what was read waits for it');
        if (generation !== this.#generation) throw new Dropped();
        await sleep(pauseMs);
        if (generation !== this.#generation) throw new Dropped();
      }
    }
  }
}
