/**
 * One member of a consumer group. A partition is read from the moment its lock is held and its position restored until it is
 * wanted elsewhere, and given up once its running handler has ended. A session that is lost takes all partitions with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { BusError, type BusRecord, type Consumer, type Position, type Subscription } from '../bus.js';
import { deferred } from '../deferred.js';
import { assertInRange, startingPoints } from '../log-bounds.js';
import { BATCH_TRIES, backoffMs, RESTORE_TRIES } from '../tries.js';
import { assigned, type Place } from './assignment.js';
import { GroupSession, type SessionSettings } from './group-session.js';
import { fetchRecords, type Fetched } from './log-reader.js';
import { unreachable } from './postgres-error.js';
import { fetchBounds } from './topics.js';

/** Batches in hand at once, of 1 MiB at most each: what a slow handler leaves unread stays in the database. */
const PARTITIONS_AT_ONCE = 4;
/** Also how soon a killed member's partitions move: the server has dropped its locks by then. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 100;
/** Long enough for the restart of a server. */
const GIVE_UP_AFTER_MS = 20_000;
const TRY_AGAIN_MS = 250;

/** A partition whose lock this member holds. */
interface Held extends Place {
  /** Next offset to hand over; undefined until it is restored. */
  next: bigint | undefined;
  lost: boolean;
  running: Promise<void> | undefined;
}

const keyOf = ({ topic, partition }: Place) => `${topic}/${partition}`;

export class PostgresConsumer implements Consumer {
  readonly #db: Database;
  readonly #settings: SessionSettings;
  readonly #subscription: Subscription;
  readonly #log: Log;
  readonly #started = deferred();
  readonly #held = new Map<string, Held>();
  /** Partitions that may have something to read, the longest waiting first. */
  readonly #due = new Set<Held>();
  readonly #running = new Set<Promise<void>>();
  #reading = 0;
  #partitions: ReadonlyMap<string, number> = new Map();
  #session: GroupSession | undefined;
  #complete = false;
  #poked = false;
  #wake: () => void = () => undefined;
  #loop: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #dead: BusError | undefined;

  constructor(db: Database, settings: SessionSettings, subscription: Subscription, log: Log) {
    this.#db = db;
    this.#settings = settings;
    this.#subscription = subscription;
    this.#log = log.child({ group: subscription.group });
  }

  /** Joins the group. @throws BusError ERR_BUS_UNREACHABLE, ERR_TOPIC_MISCONFIGURED when a topic is missing */
  async start(): Promise<void> {
    try {
      const bounds = await fetchBounds(this.#db, this.#subscription.topics);
      const counts = new Map<string, number>();
      for (const { topic } of bounds) counts.set(topic, (counts.get(topic) ?? 0) + 1);
      this.#partitions = counts;
      await this.#join();
    } catch (error) {
      throw unreachable(error, 'subscribe');
    }
    this.#loop = this.#live().catch((error: unknown) => this.#die(error));
  }

  ready(): Promise<void> {
    return this.#started.promise;
  }

  isReady(): boolean {
    return this.#complete && !this.#over;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    // `#over` is true from the next turn on, when `#stopping` is set.
    await Promise.resolve();
    this.#poke();
    await Promise.allSettled([this.#loop, ...this.#running]);
    await this.#session?.leave().catch((error: unknown) => {
      this.#log.debug({ err: error }, 'group not left in order');
    });
    this.#started.reject(new BusError('ERR_BUS_CRASHED', 'stopped before it was ready'));
  }

  get #over(): boolean {
    return this.#stopping !== undefined || this.#dead !== undefined;
  }

  /** Keeps this member's partitions those it should have, through any number of sessions. */
  async #live(): Promise<void> {
    while (!this.#over) {
      try {
        await this.#balance();
        await this.#pause(this.#complete ? LOOK_EVERY_MS : LOOK_AGAIN_MS);
      } catch (error) {
        if (error instanceof BusError) throw error;
        if (this.#over) return;
        this.#log.warn({ err: error }, 'the session of this member was lost, joining again');
        this.#loseAll();
        await this.#session?.end();
        // What still runs must not meet its own records, handed over again.
        await Promise.allSettled(this.#running);
        await this.#joinAgain();
      }
    }
  }

  async #balance(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const places = assigned(session.id, await session.members(), this.#partitions);
    const wanted = new Set(places.map(keyOf));
    for (const held of this.#held.values()) if (!wanted.has(keyOf(held))) this.#giveUp(session, held);
    const taken = await session.take(places.filter((place) => !this.#held.has(keyOf(place))));
    if (taken.length > 0) await this.#restore(taken);
    if (this.#over) return;
    const complete = places.every((place) => this.#held.get(keyOf(place))?.lost === false);
    if (complete && !this.#complete)
      this.#log.info({ partitions: places.length }, 'partitions assigned, positions restored');
    this.#complete = complete;
    if (complete) this.#started.resolve();
    for (const { high, ...place } of await session.ends(this.#subscription.topics)) {
      const held = this.#held.get(keyOf(place));
      if (held?.next !== undefined && held.next < high) this.#read(held);
    }
  }

  async #restore(taken: readonly Place[]): Promise<void> {
    const held = taken.map((place): Held => ({ ...place, next: undefined, lost: false, running: undefined }));
    for (const one of held) this.#held.set(keyOf(one), one);
    const points = await this.#lookUp(taken);
    for (const one of held) {
      one.next = points.find((point) => keyOf(point) === keyOf(one))?.next;
      this.#read(one);
    }
  }

  async #lookUp(places: readonly Place[]): Promise<Position[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // In this order: the log only grows, so a position stored before its bounds were read lies within them.
        const stored = await this.#subscription.positions(places);
        return startingPoints(places, stored, await fetchBounds(this.#db, [...this.#partitions.keys()]));
      } catch (error) {
        if (error instanceof BusError && error.code === 'ERR_OFFSET_OUT_OF_RANGE') throw error;
        if (attempt === RESTORE_TRIES) throw crashed('positions cannot be restored', error);
        if (this.#over) return [];
        this.#log.warn({ err: error, attempt }, 'positions not restored, trying again');
        await sleep(backoffMs(attempt));
      }
    }
  }

  /** Hands nothing more over, and frees the partition when what runs has ended. */
  #giveUp(session: GroupSession, held: Held): void {
    if (held.lost) return;
    held.lost = true;
    this.#due.delete(held);
    this.#track(this.#free(session, held));
  }

  async #free(session: GroupSession, held: Held): Promise<void> {
    await held.running;
    if (this.#held.get(keyOf(held)) !== held) return;
    try {
      await session.giveUp(held);
      this.#held.delete(keyOf(held));
    } catch {
      // Its end frees the partition as well, and this member joins again.
      await session.end();
    }
    this.#poke();
  }

  #loseAll(): void {
    this.#complete = false;
    this.#due.clear();
    for (const held of this.#held.values()) held.lost = true;
    this.#held.clear();
  }

  async #join(): Promise<void> {
    this.#session = await GroupSession.join(
      this.#settings,
      this.#subscription.group,
      this.#subscription.topics,
      {
        onRecords: (place) => {
          const held = this.#held.get(keyOf(place));
          if (held !== undefined) this.#read(held);
        },
        onGroup: () => this.#poke(),
        onLost: () => this.#poke(),
      },
    );
  }

  async #joinAgain(): Promise<void> {
    const endMs = performance.now() + GIVE_UP_AFTER_MS;
    while (!this.#over) {
      try {
        return await this.#join();
      } catch (error) {
        if (performance.now() > endMs) throw unreachable(error, 'join again');
        await this.#pause(TRY_AGAIN_MS);
      }
    }
  }

  /** Reads a partition as soon as its turn comes. */
  #read(held: Held): void {
    if (held.next === undefined || held.lost) return;
    this.#due.add(held);
    this.#startReading();
  }

  #startReading(): void {
    for (const held of this.#due) {
      if (this.#over || this.#reading >= PARTITIONS_AT_ONCE) return;
      // It looks at what is due when it has ended.
      if (held.running !== undefined) continue;
      this.#due.delete(held);
      this.#reading += 1;
      held.running = this.#handOver(held)
        .catch((error: unknown) => this.#die(error))
        .finally(() => {
          this.#reading -= 1;
          held.running = undefined;
          this.#startReading();
        });
      this.#track(held.running);
    }
  }

  /** Fetches once and hands over what came. */
  async #handOver(held: Held): Promise<void> {
    const { topic, partition, next = 0n } = held;
    const fetched = await this.#fetch(held, { topic, partition, next });
    if (fetched === undefined || held.lost || this.#over) return;
    const { low, high, records } = fetched;
    assertInRange(next, { topic, partition, low, high });
    if (records.length > 0 && !(await this.#handle(held, records))) return;
    held.next = records.length > 0 ? (records.at(-1)?.offset ?? next) + 1n : high;
    if (held.next < high) this.#due.add(held);
  }

  async #fetch(held: Held, from: Position): Promise<Fetched | undefined> {
    const endMs = performance.now() + GIVE_UP_AFTER_MS;
    for (;;) {
      try {
        return await fetchRecords(this.#db, from);
      } catch (error) {
        if (performance.now() > endMs) throw unreachable(error, 'fetch');
        this.#log.warn(
          { err: error, topic: from.topic, partition: from.partition },
          'not read, trying again',
        );
        await sleep(TRY_AGAIN_MS);
        if (held.lost || this.#over) return undefined;
      }
    }
  }

  /** True once the handler has taken the records; false when they are to be fetched again, here or by another member. */
  async #handle(held: Held, records: readonly BusRecord[]): Promise<boolean> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#subscription.onBatch(records);
        return true;
      } catch (error) {
        const { topic, partition } = held;
        const where = { topic, partition, offset: String(records[0]?.offset), attempt };
        this.#log.warn({ err: error, ...where }, 'batch handler failed');
        if (attempt === BATCH_TRIES) throw crashed('a batch handler failed too often', error, where);
        await sleep(backoffMs(attempt));
        if (held.lost || this.#over) return false;
      }
    }
  }

  #die(error: unknown): void {
    if (this.#over) return;
    this.#dead =
      error instanceof BusError
        ? error
        : crashed('the consumer has crashed', error, { group: this.#subscription.group });
    this.#log.error({ err: this.#dead }, 'consumer ended');
    this.#loseAll();
    this.#poke();
    void this.#session?.leave().catch(() => undefined);
    this.#started.reject(this.#dead);
    this.#subscription.onCrash(this.#dead);
  }

  #track(work: Promise<void>): void {
    const settled = work.catch(() => undefined).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
  }

  #poke(): void {
    this.#poked = true;
    this.#wake();
  }

  /** Waits, but not when something has happened meanwhile. */
  async #pause(ms: number): Promise<void> {
    if (!this.#poked) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#poked = false;
  }
}

const crashed = (message: string, cause: unknown, fields: Record<string, string | number> = {}) =>
  cause instanceof BusError && cause.code === 'ERR_BUS_CRASHED'
    ? cause
    : new BusError('ERR_BUS_CRASHED', message, fields, { cause });
