/** How many may be at it at once, of each name. */
export class AtOnce {
  readonly #inside = new Map<string, number>();

  constructor(private readonly max: number) {}

  /** @returns what MUST be called at the end; undefined where there is no place. */
  enter(name: string): (() => void) | undefined {
    const inside = this.#inside.get(name) ?? 0;
    if (inside >= this.max) return undefined;
    this.#inside.set(name, inside + 1);
    return () => {
      const left = (this.#inside.get(name) ?? 1) - 1;
      if (left === 0) this.#inside.delete(name);
      else this.#inside.set(name, left);
    };
  }
}
