/**
 * The work at one target: a few cuts at once, and cleans only while no cut waits. A dead target fills its own lane and no
 * other.
 */
import { CLAIM_LAPSES_MS, type Workload } from './lease-rows.js';

/** Most of a cut's time is the pause before its last look, so there are more cuts than connections for them. */
const CUTS_AT_ONCE = 16;
const CLEANS_AT_ONCE = 2;
const HOLDS = { due: 256, cut: 64 } as const;
/** A claim about to lapse is let go: somebody else may have it by the time the target answers. */
const HELD_AT_MOST_MS = CLAIM_LAPSES_MS - 1_000;

type Kind = keyof typeof HOLDS;
export type Held = Workload & { state: Kind };
const isHeld = (lease: Workload): lease is Held => lease.state in HOLDS;

interface Waiting {
  lease: Held;
  takenAtMs: number;
}

export class Lane {
  readonly #waiting: Record<Kind, Waiting[]> = { due: [], cut: [] };
  readonly #running: Record<Kind, Set<Promise<void>>> = { due: new Set(), cut: new Set() };
  readonly #inHand = new Set<string>();
  #stopped = false;

  /** @param work never rejects. @param drained told when there is room for more. */
  constructor(
    readonly target: string,
    private readonly work: (lease: Held) => Promise<void>,
    private readonly drained: () => void,
  ) {}

  /** How many more leases of a kind this lane can hold. */
  room(kind: Kind): number {
    return this.#stopped ? 0 : Math.max(0, HOLDS[kind] - this.#waiting[kind].length);
  }

  offer(lease: Workload, nowMs: number): void {
    if (!isHeld(lease) || this.#stopped || this.#inHand.has(keyOf(lease))) return;
    this.#inHand.add(keyOf(lease));
    this.#waiting[lease.state].push({ lease, takenAtMs: nowMs });
    this.#next();
  }

  /** Lets go of what has not begun, and waits for the rest. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.due = [];
    this.#waiting.cut = [];
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
        this.#inHand.delete(keyOf(lease));
        continue;
      }
      const running = this.work(lease).finally(() => {
        this.#running[kind].delete(running);
        this.#inHand.delete(keyOf(lease));
        this.#next();
        if (this.#waiting[kind].length === 0) this.drained();
      });
      this.#running[kind].add(running);
      return true;
    }
  }
}

const keyOf = (lease: Held) => `${lease.state} ${lease.leaseId}`;
