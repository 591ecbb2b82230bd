/** What is wrong with entries, in order: how many, and the first of them by name. */
import type { BundleErrorCode, Finding } from './errors.js';

/** So many entries are named. */
const NAMED = 5;

export class EntryFindings {
  readonly first: Finding[] = [];
  #count = 0;
  #surplus = 0;

  add(code: BundleErrorCode, seq: number): void {
    this.#count += 1;
    if (code === 'ERR_BUNDLE_ENTRY_SURPLUS') this.#surplus += 1;
    if (this.first.length < NAMED) this.first.push({ code, place: `entry ${seq}`, seq });
  }

  get count(): number {
    return this.#count;
  }

  /** Of those, how many are of the range itself. */
  get ofRange(): number {
    return this.#count - this.#surplus;
  }
}
