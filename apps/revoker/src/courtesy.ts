/**
 * In a storm the revoker gives way: where everything shares a machine, a thousand cuts at once would take the processor from whoever waits
 * for a credential. It takes what the others leave, until cuts come half a minute after what led to them; where few are in hand it is the
 * others' equal, so that a single end waits for nobody.
 */
import { GivingWay } from '#service/giving-way.js';

/** Of one target. */
export interface InHand {
  /** Leases that wait to be cut, or are being cut. */
  cuts: number;
  /** Since when the last that was begun for the first time was to be cut, epoch milliseconds. */
  dueSinceMs: number;
  /** Whether the target answered last time. */
  answers: boolean;
}

/** Cuts in hand: so many are a storm, */
const MANY = 50;
/** and with so few it is over. */
const FEW = 20;
const LATE_MS = 30_000;
const IN_TIME_MS = 5_000;

export class Courtesy {
  #isStorm = false;
  #isLate = false;

  constructor(private readonly way: Pick<GivingWay, 'give' | 'takeBack'> = new GivingWay()) {}

  /** To be told again and again. What a target that is away keeps in hand takes no processor, and is no storm. */
  note(targets: readonly InHand[], nowMs: number): void {
    const busy = targets.filter(({ answers, cuts }) => answers && cuts > 0);
    const cuts = busy.reduce((sum, target) => sum + target.cuts, 0);
    const lateMs = nowMs - Math.min(nowMs, ...busy.map(({ dueSinceMs }) => dueSinceMs));
    this.#isStorm = cuts >= MANY || (this.#isStorm && cuts > FEW);
    this.#isLate = lateMs >= LATE_MS || (this.#isLate && lateMs > IN_TIME_MS);
    if (this.#isStorm && !this.#isLate) this.way.give();
    else this.way.takeBack();
  }
}
