/**
 * Places in status lists (draft-ietf-oauth-status-list): each is given once, and two of them do not tell which tokens were made one
 * after the other. A sequence counts, and a keyed permutation of each list scatters what it counts.
 */
import type { Database } from '#store/database.js';
import { keptSecret } from './kept-secret.js';
import type { KeyWrap } from './key-wrap.js';
import { Permutation } from './permutation.js';

/** Places of one list, as a power of two. */
export const LIST_BITS = 20;
/** Taken from the sequence at once: its increment. A process that dies leaves at most so many unused, and another's. */
const BLOCK = 1_024;
const REFILL_BELOW = 3 * BLOCK;
/** Of the permutations: with another one, places would be given twice. */
const SECRET = 'mayfly status index';

export interface StatusPlace {
  uri: string;
  idx: number;
}

export interface StatusIndexParts {
  db: Database;
  wrap: KeyWrap;
  /** Where the lists are: `<lists>/<number>`. */
  lists: string;
  onError: (error: unknown) => void;
}

export class StatusIndex {
  #blocks: { next: number; end: number }[] = [];
  #refilling: Promise<void> | null = null;
  #list: { number: number; permutation: Permutation } | null = null;

  private constructor(
    private readonly parts: StatusIndexParts,
    private readonly key: Buffer,
  ) {}

  static async open(parts: StatusIndexParts): Promise<StatusIndex> {
    const index = new StatusIndex(parts, await keptSecret(parts, SECRET));
    await index.#fill();
    return index;
  }

  /** @returns undefined where numbers are given out faster than the database gives them: the token is then in no list */
  next(): StatusPlace | undefined {
    this.#refill();
    const [block] = this.#blocks;
    if (block === undefined) return undefined;
    const n = block.next;
    block.next += 1;
    if (block.next === block.end) this.#blocks.shift();
    const size = 2 ** LIST_BITS;
    const number = Math.floor(n / size);
    return { uri: `${this.parts.lists}/${number}`, idx: this.#permutationOf(number).at(n % size) };
  }

  /**
   * After a restore the sequence does not know what it gave out. It goes on with a list that nobody can have reached, unless more
   * than a million tokens were made in each second: the one of this moment's number.
   */
  async startAnew(): Promise<void> {
    await this.parts.db.pool.query(
      `SELECT setval('status_index', greatest((SELECT last_value FROM status_index) + ${BLOCK},
                floor(extract(epoch FROM clock_timestamp()))::bigint << ${LIST_BITS}), false)`,
    );
    this.#blocks = [];
    await this.#fill();
  }

  #permutationOf(number: number): Permutation {
    if (this.#list?.number !== number)
      this.#list = { number, permutation: new Permutation(this.key, `list ${number}`, LIST_BITS) };
    return this.#list.permutation;
  }

  #refill(): void {
    const left = this.#blocks.reduce((sum, { next, end }) => sum + end - next, 0);
    if (left >= REFILL_BELOW || this.#refilling !== null) return;
    this.#refilling = this.#fill()
      .catch(this.parts.onError)
      .finally(() => (this.#refilling = null));
  }

  /** Several at once, so that a burst does not wait for the database. */
  async #fill(): Promise<void> {
    const { rows } = await this.parts.db.pool.query<{ from: bigint }>(
      `SELECT nextval('status_index') AS "from" FROM generate_series(1, ${(2 * REFILL_BELOW) / BLOCK})`,
    );
    for (const { from } of rows) this.#blocks.push({ next: Number(from), end: Number(from) + BLOCK });
  }
}
