/** Where signs and attributes stand in the text of a policy: Cedar's JSON form has no places. Comments and strings are no code. */
const SKIPPED = /\/\/[^\n]*|"(?:[^"\\]|\\[^])*"/g;

export class Tokens {
  /** The text with everything that is no code blanked out, place for place. */
  readonly #code: string;

  constructor(private readonly text: string) {
    this.#code = text.replace(SKIPPED, (skipped) => ' '.repeat(skipped.length));
  }

  /** Index of the nth of so many signs. */
  sign(sign: string, nth: number, of: number): number {
    return place(
      [...this.#code.matchAll(new RegExp(`\\${sign}`, 'g'))].map(({ index }) => index),
      nth,
      of,
    );
  }

  /** Index of the nth of so many reads of an attribute: `.attr`, `["attr"]`, or `has attr`. */
  attribute(attr: string, nth: number, of: number): number {
    const escaped = attr.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const plain = new RegExp(`(?<=\\.\\s*|\\bhas\\s+)${escaped}\\b(?!\\s*\\()`, 'g');
    const quoted = new RegExp(`(?<=\\[\\s*|\\bhas\\s+)"${escaped}"`, 'g');
    const found = [
      ...[...this.#code.matchAll(plain)].map(({ index }) => index),
      ...[...this.text.matchAll(quoted)].map(({ index }) => index),
    ];
    return place(
      found.sort((a, b) => a - b),
      nth,
      of,
    );
  }
}

/** The first of them where the text has more or fewer than the policy: better near it than nowhere. */
const place = (found: readonly number[], nth: number, of: number): number =>
  (found.length === of ? found[nth] : found[0]) ?? 0;
