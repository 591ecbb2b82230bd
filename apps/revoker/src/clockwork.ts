/** The loop that nothing has to wake: makes due what is over, takes up what waits, frees what dead processes held. */
import { busyTargets, freeFromDead } from './claims.js';
import { expireLeases } from './deadlines.js';
import type { Lanes } from './lanes.js';
import type { RevokerParts } from './revoker-parts.js';
import type { Flushed } from './unit-of-work.js';

const LONGEST_NAP_MS = 50;
const AFTER_FAILURE_MS = 500;
const FREE_EVERY_MS = 1_000;

export class Clockwork {
  #stopped = false;
  #woken = false;
  #wake: (() => void) | undefined;
  #freeAtMs = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: RevokerParts,
    private readonly lanes: Lanes,
    private readonly after: (flushed: Flushed) => void,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  /** Looks now. */
  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      let napMs: number;
      try {
        napMs = await this.#turn();
      } catch (error) {
        this.parts.log.error({ err: error }, 'looking for due leases failed');
        napMs = AFTER_FAILURE_MS;
      }
      await this.#nap(napMs);
    }
  }

  /** @returns how long nothing is to be done. */
  async #turn(): Promise<number> {
    const { db, instanceId, log } = this.parts;
    if (Date.now() >= this.#freeAtMs) {
      this.#freeAtMs = Date.now() + FREE_EVERY_MS;
      const freed = await freeFromDead(db, instanceId, Date.now());
      if (freed > 0) {
        log.warn({ leases: freed }, 'took over what a dead process held');
        for (const target of await busyTargets(db)) this.lanes.know(target);
      }
    }
    const expired = await expireLeases(this.parts, () => this.lanes.taker(), LONGEST_NAP_MS);
    this.after(expired);
    await this.lanes.fill();
    if (!expired.drained) return 0;
    return Math.min(LONGEST_NAP_MS, Math.max(0, (expired.nextMs ?? Infinity) - Date.now()));
  }

  async #nap(ms: number): Promise<void> {
    if (this.#woken || this.#stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
