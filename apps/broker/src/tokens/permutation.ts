/**
 * A permutation of the numbers below 2^bits that nobody can tell from a random one without its key: a Feistel network of eight
 * rounds, whatever its round functions are (Luby and Rackoff 1988). Each number comes out once, so nothing has to be remembered.
 */
import { createHmac } from 'node:crypto';

const ROUNDS = 8;

export class Permutation {
  readonly #half: number;
  /** The round functions, as tables: there are few inputs, and a token is made faster than a hash. */
  readonly #rounds: Uint16Array[];

  /** @param tweak makes another permutation of the same key. Requires an even number of bits, 2 to 32. */
  constructor(key: Uint8Array, tweak: string, bits: number) {
    this.#half = bits / 2;
    this.#rounds = Array.from({ length: ROUNDS }, (_, round) =>
      tableOf(key, `${tweak} ${round}`, this.#half),
    );
  }

  /** Requires 0 <= n < 2^bits. */
  at(n: number): number {
    const mask = 2 ** this.#half - 1;
    let left = Math.floor(n / 2 ** this.#half);
    let right = n & mask;
    for (const round of this.#rounds) [left, right] = [right, left ^ (round[right] ?? 0)];
    return left * 2 ** this.#half + right;
  }
}

function tableOf(key: Uint8Array, tweak: string, bits: number): Uint16Array {
  const table = new Uint16Array(2 ** bits);
  const perHash = 16;
  for (let from = 0; from < table.length; from += perHash) {
    const digest = createHmac('sha256', key).update(`${tweak} ${from}`).digest();
    for (let i = 0; i < perHash && from + i < table.length; i += 1)
      table[from + i] = digest.readUInt16BE(2 * i) & (2 ** bits - 1);
  }
  return table;
}
