/**
 * The work at one target: a bounded number of cuts at once, and cleans only while no cut waits. Tenants take turns, and so do the
 * tasks of each. A dead target fills its own lane and no other.
 */
import { FairQueue } from '#events/fair-queue.js';
import { CLAIM_LAPSES_MS, type Workload } from './lease-rows.js';

/** A provider sends together what waits together, and most of a cut's time is the pause before its last look. */
const CUTS_AT_ONCE = 200;
const CLEANS_AT_ONCE = 256;
const HOLDS = { due: 400, cut: 400 } as const;
/** Further places, for a task of which nothing waits here; and as many again, for such a tenant. */
const KEPT = 100;
/** A claim about to lapse is let go: somebody else may have it by the time the target answers. */
const HELD_AT_MOST_MS = CLAIM_LAPSES_MS - 1_000;

type Kind = keyof typeof HOLDS;
export type Held = Workload & { state: Kind };
const isHeld = (lease: Workload): lease is Held => lease.state in HOLDS;

interface Waiting {
  lease: Held;
  takenAtMs: number;
}

export interface Places {
  /** @returns false where there is none left for it */
  take: (lease: Workload) => boolean;
}

export class Lane {
  readonly #waiting: Record<Kind, FairQueue<Waiting>> = { due: new FairQueue(), cut: new FairQueue() };
  readonly #running: Record<Kind, Set<Promise<void>>> = { due: new Set(), cut: new Set() };
  /** By lease and state. What is offered while in hand comes after it: its row may have been written a moment ago. */
  readonly #inHand = new Map<string, Waiting | null>();
  #dueSinceMs = 0;
  #stopped = false;

  /** @param work never rejects. @param drained told when there is room for more. @param lapsed told what is let go before it was begun. */
  constructor(
    readonly target: string,
    private readonly work: (lease: Held) => Promise<void>,
    private readonly drained: () => void,
    private readonly lapsed: (lease: Held) => void,
  ) {}

  /** How many more leases of a kind this lane can hold. */
  room(kind: Kind): number {
    return this.#stopped ? 0 : Math.max(0, HOLDS[kind] - this.#waiting[kind].length);
  }

  /** Leases that wait here to be cut, and those being cut; and since when the last that was begun for the first time was to be cut. */
  cutsInHand(): { cuts: number; dueSinceMs: number } {
    return {
      cuts: this.#waiting.due.length + this.#running.due.size,
      dueSinceMs: this.#dueSinceMs,
    };
  }

  /** Takes part in one transaction: who finds a place, while nothing of it is here yet. */
  places(): Places {
    const taken = { due: new FairQueue<true>(), cut: new FairQueue<true>() };
    const kept = ({ state, tenant, taskId }: Held): number => {
      const waits = (member?: string) =>
        this.#waiting[state].has(tenant, member) || taken[state].has(tenant, member);
      if (waits(taskId)) return 0;
      return waits() ? KEPT : 2 * KEPT;
    };
    return {
      take: (lease) => {
        if (!isHeld(lease) || this.#stopped) return false;
        const { state, tenant, taskId } = lease;
        const already = this.#waiting[state].length + taken[state].length;
        if (already >= HOLDS[state] + kept(lease)) return false;
        taken[state].push(tenant, taskId, true);
        return true;
      },
    };
  }

  offer(lease: Workload, nowMs: number): void {
    if (!isHeld(lease) || this.#stopped) return;
    const waiting = { lease, takenAtMs: nowMs };
    const inHand = this.#inHand.has(keyOf(lease));
    this.#inHand.set(keyOf(lease), inHand ? waiting : null);
    if (inHand) return;
    this.#wait(waiting);
    this.#next();
  }

  /** Lets go of what has not begun, and waits for the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.due.clear();
    this.#waiting.cut.clear();
    await Promise.all([...this.#running.due, ...this.#running.cut]);
  }

  #next(): void {
    while (this.#running.due.size < CUTS_AT_ONCE && this.#begin('due'));
    if (this.#waiting.due.length > 0) return;
    while (this.#running.cut.size < CLEANS_AT_ONCE && this.#begin('cut'));
  }

  /** @returns false when none waits. */
  #begin(kind: Kind): boolean {
    for (;;) {
      const waiting = this.#waiting[kind].shift();
      if (waiting === undefined) return false;
      const { lease, takenAtMs } = waiting;
      if (Date.now() - takenAtMs > HELD_AT_MOST_MS) {
        if (!this.#letGo(lease)) this.lapsed(lease);
        continue;
      }
      const { attempts, requestedAtMs } = lease.revocation;
      if (kind === 'due' && attempts === 0) this.#dueSinceMs = requestedAtMs;
      const running = this.work(lease).finally(() => {
        this.#running[kind].delete(running);
        this.#letGo(lease);
        this.#next();
        if (this.#waiting[kind].length === 0) this.drained();
      });
      this.#running[kind].add(running);
      return true;
    }
  }

  /** @returns whether it waits here again. */
  #letGo(lease: Held): boolean {
    const again = this.#inHand.get(keyOf(lease));
    this.#inHand.delete(keyOf(lease));
    if (!again || this.#stopped) return false;
    this.#inHand.set(keyOf(lease), null);
    this.#wait(again);
    return true;
  }

  #wait(waiting: Waiting): void {
    const { state, tenant, taskId } = waiting.lease;
    this.#waiting[state].push(tenant, taskId, waiting);
  }
}

const keyOf = (lease: Held) => `${lease.state} ${lease.leaseId}`;
