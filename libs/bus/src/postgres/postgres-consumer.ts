/**
 * One member of a consumer group. A partition is read from the moment its lock is held and its position restored until it is
 * wanted elsewhere, and given up once its running handler has ended. A session that is lost takes all partitions with it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { BusError, type Consumer, type Position, type Subscription } from '../bus.js';
import { deferred } from '../deferred.js';
import { startingPoints } from '../log-bounds.js';
import { backoffMs, RESTORE_TRIES } from '../tries.js';
import { assigned, type Place } from './assignment.js';
import { GroupSession, type SessionSettings } from './group-session.js';
import { crashed, GIVE_UP_AFTER_MS, PartitionReaders, TRY_AGAIN_MS, type Held } from './partition-readers.js';
import { unreachable } from './postgres-error.js';
import { fetchBounds } from './topics.js';

/** Also how soon a killed member's partitions move: the server has dropped its locks by then. */
const LOOK_EVERY_MS = 1_000;
const LOOK_AGAIN_MS = 100;

const keyOf = ({ topic, partition }: Place) => `${topic}/${partition}`;

export class PostgresConsumer implements Consumer {
  readonly #db: Database;
  readonly #settings: SessionSettings;
  readonly #subscription: Subscription;
  readonly #log: Log;
  readonly #started = deferred();
  readonly #held = new Map<string, Held>();
  readonly #readers: PartitionReaders;
  readonly #running = new Set<Promise<void>>();
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
    this.#readers = new PartitionReaders({
      db,
      log: this.#log,
      onBatch: (records) => subscription.onBatch(records),
      isOver: () => this.#over,
      onFailure: (error) => this.#die(error),
      track: (work) => this.#track(work),
    });
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
      if (held?.next !== undefined && held.next < high) this.#readers.read(held);
    }
  }

  async #restore(taken: readonly Place[]): Promise<void> {
    const held = taken.map((place): Held => ({ ...place, next: undefined, lost: false, running: undefined }));
    for (const one of held) this.#held.set(keyOf(one), one);
    const points = await this.#lookUp(taken);
    for (const one of held) {
      one.next = points.find((point) => keyOf(point) === keyOf(one))?.next;
      this.#readers.read(one);
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
    this.#readers.lose(held);
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
    for (const held of this.#held.values()) this.#readers.lose(held);
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
          if (held !== undefined) this.#readers.read(held);
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
