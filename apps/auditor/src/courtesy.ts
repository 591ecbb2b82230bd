/**
 * Nobody waits for an entry: where everything shares a machine, the auditor gives way to those somebody waits for. It does not do so for
 * ever: where its entries are half a minute late it is an equal of the others until they are no longer.
 */
import { GivingWay } from '#service/giving-way.js';

const LATE_MS = 30_000;
const CAUGHT_UP_MS = 5_000;

export class Courtesy {
  #isLate = false;

  constructor(private readonly way: Pick<GivingWay, 'give' | 'takeBack'> = new GivingWay()) {}

  /** @param lateMs from a record's being appended to the bus to its being an entry */
  note(lateMs: number): void {
    this.#isLate = lateMs >= LATE_MS || (this.#isLate && lateMs > CAUGHT_UP_MS);
    if (this.#isLate) this.way.takeBack();
    else this.way.give();
  }
}
