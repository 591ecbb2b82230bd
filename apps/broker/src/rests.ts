/**
 * How long others have the machine after a transaction in which nobody was waited for: not at all unless a lease is on its way to an agent, who waits.
 * An end, and what the revoker asks, is as true a moment later. What is late goes on.
 */
import { ProcessorWait } from '#service/processor-wait.js';

interface Rest {
  /** As long as the transaction took. */
  times: number;
  atMostMs: number;
  untilLateMs: number;
}

/** An equal of the others waits for a processor for a third as long as it runs where they fill the machine. */
const FULL = 0.25;
/** Where one was on its way a moment ago the next call may come in the midst of a transaction, and would wait for it. */
const NEXT_WITHIN_MS = 250;
const ENDS: readonly Rest[] = [{ times: 3, atMostMs: 200, untilLateMs: 5_000 }];
const REQUESTS: readonly Rest[] = [{ times: 2, atMostMs: 200, untilLateMs: 5_000 }];
/**
 * What the revoker asks for it does at the target, whether the broker hears of it or not. Where that is late there is much of it: with no rest
 * at all it would take from calls at one stroke what it had left to them.
 */
const REQUESTS_ON_A_FULL_MACHINE: readonly Rest[] = [
  { times: 9, atMostMs: 1_000, untilLateMs: 20_000 },
  { times: 3, atMostMs: 200, untilLateMs: 60_000 },
];

export class Rests {
  constructor(
    /** For how long no lease has been on its way to an agent: 0 while one is. */
    private readonly idleForMs: () => number,
    private readonly wait: Pick<ProcessorWait, 'share'> = new ProcessorWait(),
  ) {}

  /** @param lateMs how long ago the oldest that waits was appended */
  afterEndsMs(tookMs: number, lateMs: number): number {
    return this.#after(ENDS, tookMs, lateMs);
  }

  /** @param lateMs how long ago the oldest that waits was appended */
  afterRequestsMs(tookMs: number, lateMs: number): number {
    return this.#after(this.wait.share() > FULL ? REQUESTS_ON_A_FULL_MACHINE : REQUESTS, tookMs, lateMs);
  }

  /** @param rests by how late what waits is */
  #after(rests: readonly Rest[], tookMs: number, lateMs: number): number {
    const rest = rests.find(({ untilLateMs }) => lateMs <= untilLateMs);
    if (rest === undefined || this.idleForMs() >= NEXT_WITHIN_MS) return 0;
    return Math.min(rest.times * tookMs, rest.atMostMs);
  }
}
