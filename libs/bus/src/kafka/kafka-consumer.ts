/**
 * One member of a consumer group. Positions come from `Subscription.positions`, never from Kafka's own commits:
 * partitions are paused in the moment they are assigned, sought to their positions, and only then read.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Consumer as Client, EachBatchPayload, Kafka } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import { BusError, type BusRecord, type Consumer, type Position, type Subscription } from '../bus.js';
import { deferred } from '../deferred.js';
import { assertInRange, startingPoints } from '../log-bounds.js';
import { BATCH_TRIES, backoffMs, RESTORE_TRIES } from '../tries.js';
import { toBusRecord } from './bus-record.js';
import { kafkajs } from './client.js';
import { leaveForDead } from './dead-members.js';
import { fetchBounds } from './fetch-bounds.js';
import { JoiningAnew } from './joining-anew.js';
import { unreachable } from './kafka-error.js';
import { consumerConfig, HEARTBEAT_MS } from './kafka-settings.js';
import { ToldOffsets } from './told-offsets.js';

const PARTITIONS_AT_ONCE = 4;
/** Where handlers wait for the next fetch, all of one fetch wait at once. */
const WAITING_AT_ONCE = 64;
/** Where a partition brings so many at once there are more: nothing is waited for. */
const PLENTY = 200;
/** One begins while the turn is under way in which the handler writes to its sockets. */
const TURNS_AHEAD = 2;

const keyOf = (topic: string, partition: number) => `${topic}/${partition}`;

export class KafkaConsumer implements Consumer {
  readonly #kafka: Kafka;
  readonly #client: Client;
  readonly #admin: Admin;
  readonly #subscription: Subscription;
  readonly #log: Log;
  readonly #started = deferred();
  /** Next offset to hand over, of the partitions of this generation. */
  readonly #next = new Map<string, Position>();
  readonly #running = new Set<Promise<void>>();
  readonly #joining = new JoiningAnew();
  readonly #told: ToldOffsets;
  #generation = 0;
  /** What the next fetch waits for; absent until the one before it has brought something. */
  #gathering: ReturnType<typeof deferred> | undefined;
  #restored = false;
  #run: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #cause: BusError | undefined;
  #dead: BusError | undefined;

  constructor(kafka: Kafka, admin: Admin, subscription: Subscription, log: Log) {
    this.#kafka = kafka;
    this.#client = kafka.consumer(consumerConfig(subscription));
    this.#admin = admin;
    this.#subscription = subscription;
    this.#log = log.child({ group: subscription.group });
    this.#told = new ToldOffsets(
      this.#client,
      () => (this.#restored ? [...this.#next.values()] : []),
      this.#log,
    );
  }

  /** Joins the group in the background. @throws BusError ERR_BUS_UNREACHABLE, ERR_TOPIC_MISCONFIGURED when a topic is missing */
  async start(): Promise<void> {
    const { events } = this.#client;
    this.#client.on(events.GROUP_JOIN, ({ payload }) => this.#onJoin(payload.memberAssignment));
    this.#client.on(events.FETCH, () => (this.#gathering = undefined));
    this.#client.on(events.REBALANCING, () => void (this.#restored = false));
    this.#client.on(events.CRASH, ({ payload }) => void this.#onEnded(payload.error));
    try {
      await this.#client.connect();
      await this.#client.subscribe({ topics: [...this.#subscription.topics], fromBeginning: true });
    } catch (error) {
      await this.#client.disconnect().catch(() => undefined);
      throw unreachable(error, 'subscribe');
    }
    await leaveForDead(this.#kafka, this.#admin, this.#subscription, this.#log);
    this.#told.start();
    this.#run = this.#join();
  }

  async #join(): Promise<void> {
    const { gatherMs } = this.#subscription;
    try {
      await this.#client.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: gatherMs === undefined ? PARTITIONS_AT_ONCE : WAITING_AT_ONCE,
        eachBatch: (payload) => this.#track(this.#onFetched(payload)),
      });
    } catch (error) {
      this.#die(error);
    }
  }

  async #onEnded(error: Error): Promise<void> {
    this.#restored = false;
    const pauseMs = this.#cause === undefined ? this.#joining.pauseMs(error) : undefined;
    if (pauseMs === undefined) return this.#die(error);
    this.#log.warn({ err: error, pauseMs }, 'consumer ended, joining anew');
    await sleep(pauseMs);
    if (this.#stopping === undefined && this.#dead === undefined) this.#run = this.#join();
  }

  ready(): Promise<void> {
    return this.#started.promise;
  }

  isReady(): boolean {
    return this.#restored && this.#dead === undefined && this.#stopping === undefined;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#told.stop();
    await Promise.allSettled(this.#running);
    await this.#told.tell();
    await this.#disconnect();
    // A join under way when the client was stopped may have ended in a running client.
    await this.#run;
    await this.#disconnect();
    await Promise.allSettled(this.#running);
    this.#started.reject(new BusError('ERR_BUS_CRASHED', 'stopped before it was ready'));
  }

  #onJoin(assignment: Record<string, number[]>): void {
    const generation = ++this.#generation;
    this.#restored = false;
    this.#next.clear();
    const wanted = Object.entries(assignment).map(([topic, partitions]) => ({
      topic,
      partitions: [...partitions],
    }));
    // Before this listener returns, or kafkajs reads on from Kafka's own position. It does not wait for a promise.
    this.#client.pause(wanted);
    this.#restore(generation, wanted).catch((error: unknown) => this.#die(error));
  }

  async #restore(generation: number, wanted: { topic: string; partitions: number[] }[]): Promise<void> {
    const assigned = wanted.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const points = assigned.length === 0 ? [] : await this.#lookUp(generation, assigned);
    // A later assignment overtook the look-up, and does its own.
    if (generation !== this.#generation || this.#stopping !== undefined) return;
    for (const point of points) {
      this.#next.set(keyOf(point.topic, point.partition), point);
      this.#client.seek({ ...point, offset: String(point.next) });
    }
    this.#client.resume(wanted);
    this.#restored = true;
    this.#joining.joined();
    this.#log.info({ partitions: assigned.length }, 'partitions assigned, positions restored');
    this.#started.resolve();
  }

  async #lookUp(generation: number, assigned: { topic: string; partition: number }[]): Promise<Position[]> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        // In this order: the log only grows, so a position stored before its bounds were read lies within them.
        const stored = await this.#subscription.positions(assigned);
        const bounds = await fetchBounds(this.#admin, [...new Set(assigned.map(({ topic }) => topic))]);
        return startingPoints(assigned, stored, bounds);
      } catch (error) {
        const final = error instanceof BusError && error.code === 'ERR_OFFSET_OUT_OF_RANGE';
        if (final || attempt === RESTORE_TRIES) throw error;
        if (generation !== this.#generation || this.#stopping !== undefined) return [];
        this.#log.warn({ err: error, attempt }, 'positions not restored, trying again');
        await sleep(backoffMs(attempt));
      }
    }
  }

  async #onFetched(payload: EachBatchPayload): Promise<void> {
    const { topic, partition, messages } = payload.batch;
    const generation = this.#generation;
    const wanted = this.#next.get(keyOf(topic, partition))?.next;
    // Not resolved, so it is fetched again where it is wanted.
    if (!this.isReady() || wanted === undefined || payload.isStale()) return;
    const records = messages.map((message) => toBusRecord(topic, partition, message));
    if (records[0]?.offset !== wanted) await this.#explainGap(topic, partition, wanted);
    const fresh = records.filter(({ offset }) => offset >= wanted);
    const last = fresh.at(-1)?.offset ?? wanted - 1n;
    if (fresh.length > 0 && !(await this.#handle(fresh, payload, generation))) return;
    if (generation !== this.#generation) return;
    this.#next.set(keyOf(topic, partition), { topic, partition, next: last + 1n });
    payload.resolveOffset(String(last));
    // What this fetch set going leaves at the end of a turn of the event loop, and goes before the next is asked for.
    for (let turn = 0; turn < TURNS_AHEAD; turn += 1) await nextTurn();
    const { gatherMs } = this.#subscription;
    if (gatherMs !== undefined) await this.#gather(fresh.length < PLENTY ? gatherMs : 0);
  }

  /**
   * What was fetched is handed over; the next fetch waits for its handlers, and so brings more. Kafka could wait for more by itself, but
   * would then be asked, and have nothing, over and over while nothing is said.
   */
  async #gather(ms: number): Promise<void> {
    const gathering = (this.#gathering ??= deferred());
    const timer = setTimeout(() => gathering.resolve(), ms);
    await gathering.promise;
    clearTimeout(timer);
  }

  /**
   * kafkajs answers "offset out of range" by going on at the oldest record. The next batch then does not begin where it
   * should, as after compaction; the bounds of the log tell which it is. Nothing has been handed over yet.
   */
  async #explainGap(topic: string, partition: number, wanted: bigint): Promise<void> {
    const log = (await fetchBounds(this.#admin, [topic])).find((bounds) => bounds.partition === partition);
    try {
      if (log !== undefined) assertInRange(wanted, log);
    } catch (error) {
      throw this.#fatal(error as BusError);
    }
  }

  /** True once the handler has taken the records; false when they are to be fetched again, here or by another member. */
  async #handle(records: BusRecord[], payload: EachBatchPayload, generation: number): Promise<boolean> {
    let member = true;
    const heartbeat = setInterval(() => {
      payload.heartbeat().catch(() => (member = false));
    }, HEARTBEAT_MS);
    try {
      for (let attempt = 1; ; attempt += 1) {
        try {
          await this.#subscription.onBatch(records);
          return true;
        } catch (error) {
          const { topic, partition } = payload.batch;
          const where = { topic, partition, offset: String(records[0]?.offset), attempt };
          this.#log.warn({ err: error, ...where }, 'batch handler failed');
          if (attempt === BATCH_TRIES) {
            const crash = new BusError('ERR_BUS_CRASHED', 'a batch handler failed too often', where, {
              cause: error,
            });
            throw this.#fatal(crash);
          }
          await sleep(backoffMs(attempt));
          const mine = member && payload.isRunning() && generation === this.#generation;
          if (!mine || this.#stopping !== undefined) return false;
        }
      }
    } finally {
      clearInterval(heartbeat);
    }
  }

  /** Remembers why the subscription ends, and makes the error that ends kafkajs without its own tries. */
  #fatal(error: BusError): Error {
    this.#restored = false;
    this.#cause ??= error;
    return new kafkajs.KafkaJSNonRetriableError(error.message);
  }

  #die(error: unknown): void {
    if (this.#stopping !== undefined || this.#dead !== undefined) return;
    const told = this.#cause ?? error;
    this.#dead =
      told instanceof BusError
        ? told
        : new BusError(
            'ERR_BUS_CRASHED',
            'the consumer has crashed',
            { group: this.#subscription.group },
            { cause: told },
          );
    this.#restored = false;
    this.#told.stop();
    this.#log.error({ err: this.#dead }, 'consumer ended');
    void this.#disconnect();
    this.#started.reject(this.#dead);
    this.#subscription.onCrash(this.#dead);
  }

  async #track(work: Promise<void>): Promise<void> {
    const settled = work.catch(() => undefined);
    this.#running.add(settled);
    try {
      await work;
    } finally {
      this.#running.delete(settled);
    }
  }

  async #disconnect(): Promise<void> {
    try {
      await this.#client.disconnect();
    } catch (error) {
      this.#log.debug({ err: error }, 'consumer not disconnected');
    }
  }
}
