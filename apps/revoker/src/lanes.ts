/** All targets' lanes: hands out leases, and writes down what came of them. */
import type { CutAttempt } from '#events/cut-proof.js';
import { roundOf } from '#events/revocation.js';
import { unreachable } from '#events/unreachable.js';
import type { CredentialProvider } from '#providers/provider.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { hurryTarget, knockAt, standInLine, takeLeases, type Room } from './claims.js';
import { cleanLease } from './clean-lease.js';
import { Courtesy } from './courtesy.js';
import { cutLease } from './cut-lease.js';
import { Lane, type Held, type Places } from './lane.js';
import type { Workload } from './lease-rows.js';
import type { RevokerParts } from './revoker-parts.js';
import { AttemptBook } from './settle-attempts.js';
import type { Taker } from './taker.js';
import { Turns } from './turns.js';
import type { Flushed } from './unit-of-work.js';

/** A target that is away is asked by one lease this often, however long its leases wait by now. */
const KNOCK_EVERY_MS = 5_000;
/** Why a cut failed, where the target's other leases fail for it too. */
const OF_ALL_LEASES: ReadonlySet<string> = new Set([
  'ERR_TARGET_UNREACHABLE',
  'ERR_TARGET_MISCONFIGURED',
  'ERR_TARGET_UNKNOWN',
]);

export class Lanes {
  readonly #lanes = new Map<string, Lane>();
  readonly #turns = new Turns();
  /** Targets that could not be reached last time, and when to knock at them next. */
  readonly #down = new Map<string, number>();
  readonly #book: AttemptBook;
  readonly #courtesy = new Courtesy();
  /** Let go before they were begun, and not in line again yet. */
  #lapsed: Workload[] = [];
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
        (lapsed) => void this.#lapsed.push(lapsed),
      );
      this.#lanes.set(target, lane);
    }
    return lane;
  }

  /** For one transaction: takes what there is room for. */
  taker(): Taker {
    const places = new Map<string, Places>();
    return {
      instanceId: this.parts.instanceId,
      takes: (lease) => {
        const { target } = lease.plan;
        const here = places.get(target) ?? this.know(target).places();
        places.set(target, here);
        const takes = here.take(lease);
        if (!takes) this.#more = true;
        return takes;
      },
      turnOf: ({ plan, tenant, taskId }, nowMs) => this.#turns.next(plan.target, tenant, taskId, nowMs),
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
    this.#noteStorm(nowMs);
  }

  /** Takes what waits in the database. */
  async fill(): Promise<void> {
    await this.#knock(Date.now());
    await this.#giveBackLapsed();
    const rooms = this.rooms();
    const taken = await takeLeases(this.parts.db, rooms, this.parts.instanceId, Date.now());
    if (taken.length > 0) this.#more = true;
    const goOn = new Set(taken.flatMap(({ state, plan }) => (state === 'due' ? [plan.target] : [])));
    for (const { target, cuts } of rooms) if (cuts > 0 && !goOn.has(target)) this.#turns.forget(target);
    this.offer(taken);
  }

  async #giveBackLapsed(): Promise<void> {
    const lapsed = [...this.#lapsed];
    await standInLine(this.parts.db, lapsed, this.parts.instanceId);
    this.#lapsed = this.#lapsed.slice(lapsed.length);
  }

  /** Nothing is known of this target yet: what waits for it since an earlier life need not wait any longer once it answers. */
  doubt(target: string): void {
    this.know(target);
    this.#down.set(target, 0);
  }

  async #knock(nowMs: number): Promise<void> {
    for (const [target, atMs] of this.#down) {
      if (atMs > nowMs) continue;
      this.#down.set(target, nowMs + KNOCK_EVERY_MS);
      await knockAt(this.parts.db, target, nowMs);
    }
  }

  #noteStorm(nowMs: number): void {
    const inHand = [...this.#lanes.values()].map((lane) => ({
      ...lane.cutsInHand(),
      answers: !this.#down.has(lane.target),
    }));
    this.#courtesy.note(inHand, nowMs);
  }

  #drained(): void {
    this.#noteStorm(Date.now());
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
    const of = { leaseId, taskId, target: plan.target, round: roundOf(lease) };
    switch (lease.state) {
      case 'due': {
        const attempt = await cutLease(lease, provider, log);
        faultPoint('cut.after');
        this.#noteTarget(plan.target, attempt);
        const rules = { fencing: fencingOf(provider), maxClockSkewMs };
        const leftNothing = provider?.capabilities.leaves === 'nothing' && !('failed' in attempt);
        const cleaned = leftNothing ? { cleaned: await cleanLease(lease, provider, log) } : {};
        await this.#book.write({ ...of, did: 'cut', attempt, rules, ...cleaned });
        return;
      }
      case 'cut': {
        const attempt = await cleanLease(lease, provider, log);
        faultPoint('clean.after');
        await this.#book.write({ ...of, did: 'clean', attempt });
        return;
      }
      default:
        return unreachable(lease.state);
    }
  }

  /** A target that is back is not left waiting for the patience that its failures taught. */
  #noteTarget(target: string, attempt: CutAttempt): void {
    if ('failed' in attempt) {
      if (OF_ALL_LEASES.has(attempt.failed) && !this.#down.has(target))
        this.#down.set(target, Date.now() + KNOCK_EVERY_MS);
    } else if (this.#down.delete(target))
      hurryTarget(this.parts.db, target, Date.now()).then(this.wake, (error: unknown) =>
        this.parts.log.warn({ err: error, target }, 'leases of a target that is back could not be hurried'),
      );
  }
}

/** Nothing is proven at a target that is not configured, whatever its class. */
const fencingOf = (provider: CredentialProvider | undefined) => provider?.fencing ?? 'unrecallable';
