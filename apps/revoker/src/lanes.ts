/** All targets' lanes: hands out leases, and writes down what came of them. */
import type { CredentialProvider } from '#providers/provider.js';
import { unreachable } from '#events/unreachable.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { hurryTarget, takeLeases, type Room } from './claims.js';
import { cleanLease } from './clean-lease.js';
import { cutLease } from './cut-lease.js';
import { Lane, type Held } from './lane.js';
import type { Workload } from './lease-rows.js';
import type { RevokerParts } from './revoker-parts.js';
import { AttemptBook } from './settle-attempts.js';
import type { Flushed, Taker } from './unit-of-work.js';

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  /** Targets that could not be reached last time. */
  readonly #down = new Set<string>();
  readonly #book: AttemptBook;
  /** There may be more in the database than fitted in here. */
  #more = false;

  /** @param after takes what is to be done after a commit. @param wake told when there is room for more. */
  constructor(
    private readonly parts: RevokerParts,
    after: (flushed: Flushed) => void,
    private readonly wake: () => void,
  ) {
    this.#book = new AttemptBook(parts, () => this.taker(), after);
    for (const target of parts.providers.keys()) this.know(target);
  }

  /** Makes a lane for a target, configured or not. */
  know(target: string): Lane {
    let lane = this.#lanes.get(target);
    if (lane === undefined) {
      lane = new Lane(
        target,
        (lease) => this.#work(lease),
        () => this.#drained(),
      );
      this.#lanes.set(target, lane);
    }
    return lane;
  }

  /** For one transaction: takes what there is room for. */
  taker(): Taker {
    const taken = new Map<string, number>();
    return {
      instanceId: this.parts.instanceId,
      takes: ({ plan, state }) => {
        if (plan === null || (state !== 'due' && state !== 'cut')) return false;
        const key = `${state} ${plan.target}`;
        const already = taken.get(key) ?? 0;
        if (already >= this.know(plan.target).room(state)) {
          this.#more = true;
          return false;
        }
        taken.set(key, already + 1);
        return true;
      },
    };
  }

  rooms(): Room[] {
    return [...this.#lanes.values()]
      .map((lane) => ({ target: lane.target, cuts: lane.room('due'), cleans: lane.room('cut') }))
      .filter((room) => room.cuts > 0 || room.cleans > 0);
  }

  offer(work: readonly Workload[]): void {
    const nowMs = Date.now();
    for (const lease of work) this.know(lease.plan.target).offer(lease, nowMs);
  }

  /** Takes what waits in the database. */
  async fill(): Promise<void> {
    const taken = await takeLeases(this.parts.db, this.rooms(), this.parts.instanceId, Date.now());
    if (taken.length > 0) this.#more = true;
    this.offer(taken);
  }

  #drained(): void {
    if (!this.#more) return;
    this.#more = false;
    this.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop()));
    await this.#book.idle();
  }

  async #work(lease: Held): Promise<void> {
    const { leaseId, taskId, plan } = lease;
    const { providers, log, maxClockSkewMs } = this.parts;
    const provider = providers.get(plan.target);
    switch (lease.state) {
      case 'due': {
        const attempt = await cutLease(lease, provider, log);
        faultPoint('cut.after');
        this.#noteTarget(plan.target, 'failed' in attempt);
        const rules = { fencing: fencingOf(provider), maxClockSkewMs };
        await this.#book.write({ leaseId, taskId, did: 'cut', attempt, rules });
        return;
      }
      case 'cut': {
        const attempt = await cleanLease(lease, provider, log);
        faultPoint('clean.after');
        await this.#book.write({ leaseId, taskId, did: 'clean', attempt });
        return;
      }
      default:
        return unreachable(lease.state);
    }
  }

  /** A target that is back is not left waiting for the patience that its failures taught. */
  #noteTarget(target: string, failed: boolean): void {
    if (failed) this.#down.add(target);
    else if (this.#down.delete(target))
      hurryTarget(this.parts.db, target, Date.now()).then(this.wake, (error: unknown) =>
        this.parts.log.warn({ err: error, target }, 'leases of a target that is back could not be hurried'),
      );
  }
}

/** Nothing is proven at a target that is not configured, whatever its class. */
const fencingOf = (provider: CredentialProvider | undefined) => provider?.fencing ?? 'unrecallable';
