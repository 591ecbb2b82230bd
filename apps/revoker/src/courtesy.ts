/**
 * In a storm the revoker gives way: where everything shares a machine, a thousand cuts at once would take the processor from whoever waits
 * for a credential. It takes what the others leave, for half a minute at the most, and then for a tenth of the time; where few leases are in
 * hand it is their equal, so that a single end waits for nobody.
 */
import { GivingWay } from '#service/giving-way.js';

/** Of one target: leases that wait to be cut or dropped, or are being so; and whether it answered last time. */
export interface InHand {
  leases: number;
  answers: boolean;
}

/** Leases in hand: so many are a storm, */
const MANY = 50;
/** and with so few it is over. */
const FEW = 20;
const AT_MOST_MS = 30_000;
/** It does not begin with less than that left. */
const AT_LEAST_MS = 5_000;
/** Of the time in which it does not give way, what may be given later. */
const REGAINED = 0.1;

export class Courtesy {
  #isStorm = false;
  #gives = false;
  #leftMs = AT_MOST_MS;
  #notedMs: number | undefined;

  constructor(private readonly way: Pick<GivingWay, 'give' | 'takeBack'> = new GivingWay()) {}

  /** To be told again and again. What a target that is away keeps in hand takes no processor, and is no storm. */
  note(targets: readonly InHand[], nowMs: number): void {
    const inHand = targets.reduce((sum, { leases, answers }) => sum + (answers ? leases : 0), 0);
    const passedMs = Math.max(0, nowMs - (this.#notedMs ?? nowMs));
    this.#notedMs = nowMs;
    const leftMs = this.#leftMs + (this.#gives ? -passedMs : passedMs * REGAINED);
    this.#leftMs = Math.min(AT_MOST_MS, Math.max(0, leftMs));
    this.#isStorm = inHand >= MANY || (this.#isStorm && inHand > FEW);
    this.#gives = this.#isStorm && this.#leftMs > (this.#gives ? 0 : AT_LEAST_MS);
    if (this.#gives) this.way.give();
    else this.way.takeBack();
  }
}
