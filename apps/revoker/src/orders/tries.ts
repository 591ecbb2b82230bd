/** How often somebody may order. Each refused order of somebody authenticated is told on the bus: nobody fills it. */
const PER_WHILE = 60;
const WHILE_MS = 60_000;
const PEOPLE_MAX = 10_000;

export class Tries {
  readonly #of = new Map<string, { sinceMs: number; tries: number }>();

  /** @param id of somebody who was authenticated. @returns false where it is one too many */
  take(id: string, nowMs: number): boolean {
    const known = this.#of.get(id);
    const now =
      known !== undefined && nowMs - known.sinceMs < WHILE_MS ? known : { sinceMs: nowMs, tries: 0 };
    if (now.tries >= PER_WHILE) return false;
    // The one whose while began first goes first, where there are too many.
    if (now !== known) this.#of.delete(id);
    if (this.#of.size >= PEOPLE_MAX && now !== known) this.#forgetOldest();
    this.#of.set(id, { ...now, tries: now.tries + 1 });
    return true;
  }

  #forgetOldest(): void {
    for (const id of this.#of.keys()) return void this.#of.delete(id);
  }
}
