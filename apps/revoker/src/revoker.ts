/** The revoker at work: what it does with each batch, and what it does in between. */
import type { BusRecord } from '#bus/bus.js';
import { transact } from '#store/database.js';
import { IdlePositions } from '#store/idle-positions.js';
import { enqueue } from '#store/outbox.js';
import { busyTargets, giveBack } from './claims.js';
import { Clockwork } from './clockwork.js';
import { Lanes } from './lanes.js';
import { onLeaseEvents } from './on-lease-event.js';
import { onTaskEvents } from './on-task-event.js';
import { GROUP } from './publish.js';
import { beat } from './revocation-rows.js';
import type { RevokerParts } from './revoker-parts.js';
import type { Flushed } from './unit-of-work.js';

/** In a storm the first leases are cut while the ends of the rest are still being verified. */
const CHUNK = 50;
const BEAT_EVERY_MS = 1_000;

export class Revoker {
  readonly #lanes: Lanes;
  readonly #clockwork: Clockwork;
  readonly #idle: IdlePositions;
  #heart: NodeJS.Timeout | undefined;
  #stopped = false;
  #beating: Promise<void> = Promise.resolve();

  constructor(private readonly parts: RevokerParts) {
    const after = (flushed: Flushed) => this.#after(flushed);
    this.#idle = new IdlePositions(parts.db, GROUP, (fields, message) => parts.log.warn(fields, message));
    this.#lanes = new Lanes(parts, after, () => this.#clockwork.wake());
    this.#clockwork = new Clockwork(parts, this.#lanes, after);
  }

  /** Takes up what an earlier life left. The kill path does not wait for the bus. */
  async start(): Promise<void> {
    for (const target of await busyTargets(this.parts.db)) this.#lanes.know(target);
    this.#clockwork.start();
    this.#beatOn();
  }

  /** Resolves once what the records said is stored; nothing is cut before, and cutting is not waited for (rule 10). */
  async onTaskEvents(records: readonly BusRecord[]): Promise<void> {
    for (let i = 0; i < records.length; i += CHUNK)
      this.#after(await onTaskEvents(records.slice(i, i + CHUNK), this.parts, () => this.#lanes.taker()));
  }

  async onLeaseEvents(records: readonly BusRecord[]): Promise<void> {
    for (let i = 0; i < records.length; i += CHUNK)
      this.#after(
        await onLeaseEvents(records.slice(i, i + CHUNK), this.parts, () => this.#lanes.taker(), this.#idle),
      );
  }

  /** Finishes what has begun, and leaves the rest to others. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#heart);
    await this.#clockwork.stop();
    await this.#lanes.stop();
    await this.#beating;
    await this.#idle.store();
    await giveBack(this.parts.db, this.parts.instanceId, Date.now());
  }

  /** The cut goes first: what was said may be sent meanwhile. */
  #after({ work, queued }: Flushed): void {
    this.#lanes.offer(work);
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
      const queued = await transact(this.parts.db, async (tx) =>
        enqueue(tx, await beat(tx, GROUP, Date.now())),
      );
      this.#after({ work: [], queued });
    } catch (error) {
      this.parts.log.error({ err: error }, 'a heartbeat failed');
    }
  }
}
