/**
 * Nobody waits for an entry: where everything shares a machine, the auditor gives way to those somebody waits for, and where the machine is full it rests:
 * what it asks of the database is no less to do because it asks politely. It does neither for ever: where its entries are half a minute late it is an
 * equal of the others until they are no longer.
 */
import { GivingWay } from '#service/giving-way.js';
import { ProcessorWait } from '#service/processor-wait.js';

const LATE_MS = 30_000;
const CAUGHT_UP_MS = 5_000;
/** It waits for a processor for longer than it runs: others fill the machine. */
const FULL = 0.5;
/** A tenth of its work is done meanwhile. */
const RESTS = 9;
const LONGEST_REST_MS = 1_000;

export class Courtesy {
  #isLate = false;

  constructor(
    private readonly way: Pick<GivingWay, 'give' | 'takeBack'> = new GivingWay(),
    private readonly wait: Pick<ProcessorWait, 'share'> = new ProcessorWait(),
  ) {}

  /** @param lateMs from a record's being appended to the bus to its being an entry */
  note(lateMs: number): void {
    this.#isLate = lateMs >= LATE_MS || (this.#isLate && lateMs > CAUGHT_UP_MS);
    if (this.#isLate) this.way.takeBack();
    else this.way.give();
  }

  /** How long others are to have the machine after work that took so long. */
  restMs(tookMs: number): number {
    return this.wait.share() > FULL && !this.#isLate ? Math.min(RESTS * tookMs, LONGEST_REST_MS) : 0;
  }
}
