/** The revoker at work: what it does with each batch, and what it does in between. */
import type { Bus, BusRecord } from '#bus/bus.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { repeat } from '#store/repeat.js';
import { transact } from '#store/database.js';
import { Intake } from '#store/intake.js';
import { enqueueWith } from '#store/outbox.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { busyTargets, giveBack } from './claims.js';
import { Clockwork } from './clockwork.js';
import { Lanes } from './lanes.js';
import { hearRecord, type Hearing } from './heard-record.js';
import { concernsLeases, hurriesLease, onLeaseEvents, weightOfLeaseEvent } from './on-lease-event.js';
import { hurriesEnd, onTaskEvents, readTaskEvent, weightOfTaskEvent, type Said } from './on-task-event.js';
import { GROUP } from './publish.js';
import { OrderDesk } from './orders/order-desk.js';
import { releaseParked } from './release-parked.js';
import { Sweeper } from './recover.js';
import { beat } from './revocation-rows.js';
import type { RevokerParts } from './revoker-parts.js';
import { setLeaseEventAside, setTaskEventAside } from './set-aside.js';
import { TargetWatch, type TargetWatchMeans } from './survey/target-watch.js';
import type { SweepParts } from './sweep.js';
import type { Flushed } from './unit-of-work.js';

/** In a storm the first leases are cut while the rest of the ends wait: five at once, and fifty where that is quick. */
const END_AIM_MS = 100;
/** Whose key is whose, and what a lease is, matters once there is an end: nothing waits longer than the end does. */
const GATHER_MS = 100;
const BEAT_EVERY_MS = 1_000;
const RELEASE_EVERY_MS = 1_000;

export class Revoker {
  readonly tasks: Intake<Said, Flushed>;
  readonly leases: Intake<Hearing, Flushed>;
  /** What operators order. */
  readonly orders: OrderDesk;
  readonly #lanes: Lanes;
  readonly #clockwork: Clockwork;
  #heart: NodeJS.Timeout | undefined;
  #releasing: { stop: () => Promise<void> } | undefined;
  #stopped = false;
  #beating: Promise<void> = Promise.resolve();

  /** @param onDead told when a record can neither be handled nor set aside: the process must end. */
  constructor(
    private readonly parts: RevokerParts,
    onDead: (cause: Error) => void,
  ) {
    const { db, trust, peers, log } = parts;
    const after = (flushed: Flushed) => this.#after(flushed);
    this.#lanes = new Lanes(parts, after, () => this.#clockwork.wake());
    this.#clockwork = new Clockwork(parts, this.#lanes, after);
    this.orders = new OrderDesk({ parts, taker: () => this.#lanes.taker(), after });
    const shared = {
      db,
      group: GROUP,
      after,
      setBehind: (): Promise<Flushed> => Promise.resolve({ queued: [], work: [] }),
      // In whatever order it hears of starts, leases and ends, it cuts the same ones: nothing waits, least of all an end.
      waitsBehind: () => false,
      warn: (fields: object, message: string) => log.warn(fields, message),
      onDead,
    };
    this.tasks = new Intake({
      ...shared,
      read: (record) => readTaskEvent(record, trust),
      handle: async (tx, batch) => {
        const flushed = await onTaskEvents(tx, batch, parts, this.#lanes.taker());
        // What is gathered may be of leases under the task that ends. The end has its locks, and is no longer held up by it.
        if (batch.some(({ record }) => hurriesEnd(record))) setImmediate(() => this.leases.hurry());
        return flushed;
      },
      after: (flushed) => {
        if (flushed.work.length > 0) faultPoint('end.after_commit');
        after(flushed);
        // What was heard of leases while something ended is settled with it, once the news of the end has left.
        if (flushed.work.length > 0 || flushed.queued.length > 0) setImmediate(() => this.leases.hurry());
      },
      setAside: (tx, record, error) => setTaskEventAside(tx, record, error, parts, this.#lanes.taker()),
      weigh: weightOfTaskEvent,
      aimMs: END_AIM_MS,
      gatherMs: GATHER_MS,
      hurries: hurriesEnd,
    });
    this.leases = new Intake({
      ...shared,
      read: (record) => hearRecord(record, peers),
      handle: (tx, batch) => onLeaseEvents(tx, batch, parts, this.#lanes.taker()),
      setAside: (tx, record, error) => setLeaseEventAside(tx, record, error, parts, this.#lanes.taker()),
      concerns: concernsLeases,
      weigh: weightOfLeaseEvent,
      gatherMs: GATHER_MS,
      hurries: hurriesLease,
    });
  }

  /** Takes up what an earlier life left. The kill path does not wait for the bus. */
  async start(): Promise<void> {
    for (const target of await busyTargets(this.parts.db)) this.#lanes.doubt(target);
    this.#clockwork.start();
    this.orders.start();
    this.#releasing = repeat(
      RELEASE_EVERY_MS,
      () =>
        releaseParked(
          this.parts,
          () => this.#lanes.taker(),
          (flushed) => this.#after(flushed),
        ),
      (err) => this.parts.log.error({ err }, 'releasing parked records failed'),
    );
    this.#beatOn();
  }

  /** Nothing is cut before what the records said is stored, and cutting is not waited for (rule 10). */
  async onTaskEvents(records: readonly BusRecord[]): Promise<void> {
    await this.tasks.take(records);
  }

  async onLeaseEvents(records: readonly BusRecord[]): Promise<void> {
    await this.leases.take(records);
  }

  /** Partitions of these topics move: nothing of them that was read before counts. */
  async forget(topics: ReadonlySet<string>): Promise<void> {
    if (topics.has(TASK_EVENTS)) await this.tasks.forget();
    if (topics.has(CREDENTIAL_EVENTS)) await this.leases.forget();
  }

  /** How long our own database has kept records waiting. */
  failingMs(): number {
    return Math.max(this.tasks.failingMs(), this.leases.failingMs());
  }

  /** Sweeps targets where that is ordered. To be started once records are read. */
  sweeper(bus: Bus): Sweeper {
    return new Sweeper(this.#sweepParts(bus));
  }

  /** Sweeps and surveys them again and again. To be started once records are read. */
  targetWatch(bus: Bus, means: Pick<TargetWatchMeans, 'settings' | 'allowed'>): TargetWatch {
    return new TargetWatch({
      ...{ ...means, parts: this.#sweepParts(bus) },
      catalogue: () => this.parts.catalogue,
    });
  }

  #sweepParts(bus: Bus): SweepParts {
    return {
      ...{ ...this.parts, bus, taker: () => this.#lanes.taker() },
      after: (flushed) => this.#after(flushed),
    };
  }

  /** Finishes what has begun, and leaves the rest to others. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#heart);
    await Promise.all([this.tasks.stop(), this.leases.stop(), this.#releasing?.stop(), this.orders.stop()]);
    await this.#clockwork.stop();
    await this.#lanes.stop();
    await this.#beating;
    await giveBack(this.parts.db, this.parts.instanceId, Date.now());
  }

  /** The cut goes first: what was said may be sent meanwhile. */
  #after({ work, queued, lists }: Flushed): void {
    this.#lanes.offer(work);
    if (lists !== undefined) this.parts.lists.change(lists);
    if (queued.length > 0) this.parts.send(queued);
  }

  #beatOn(): void {
    if (this.#stopped) return;
    this.#heart = setTimeout(() => {
      this.#beating = this.#beat().finally(() => this.#beatOn());
    }, BEAT_EVERY_MS).unref();
  }

  async #beat(): Promise<void> {
    try {
      const queued = await transact(this.parts.db, async (tx) => {
        const { writes, records } = await beat(tx, GROUP, Date.now());
        return await enqueueWith(tx, writes, records);
      });
      this.#after({ work: [], queued });
    } catch (error) {
      this.parts.log.error({ err: error }, 'a heartbeat failed');
    }
  }
}
