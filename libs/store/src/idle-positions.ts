/**
 * Positions behind records that mean nothing to a reader, such as its own. Storing each at once would cost a commit for nothing;
 * they are stored together, at the latest a second later, so that a position never falls behind what the bus still keeps.
 * Read again after a kill, such records mean nothing again.
 */
import { transact, type Database } from './database.js';
import { moveOffsets, partitionKey, type Move } from './offsets.js';

const STORE_AFTER_MS = 1_000;

export class IdlePositions {
  readonly #next = new Map<string, Move>();
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly group: string,
    private readonly warn: (fields: object, message: string) => void,
  ) {}

  /** @param moves behind records of which all that comes before them was handled or passed by this reader. */
  pass(moves: readonly Move[]): void {
    for (const move of moves) this.#next.set(partitionKey(move), move);
    if (this.#next.size > 0) this.#timer ??= setTimeout(() => void this.store(), STORE_AFTER_MS).unref();
  }

  /** Stores what was passed. A failure is told, and tried again with what is passed next. */
  store(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#storing = this.#storing.then(() => this.#write());
    return this.#storing;
  }

  async #write(): Promise<void> {
    const passed = [...this.#next.entries()];
    if (passed.length === 0) return;
    try {
      await transact(this.db, (tx) =>
        moveOffsets(
          tx,
          this.group,
          passed.map(([, move]) => move),
        ),
      );
      for (const [key, stored] of passed) if (this.#next.get(key) === stored) this.#next.delete(key);
    } catch (error) {
      this.warn({ err: error, partitions: passed.length }, 'positions behind passed records were not stored');
      this.#timer ??= setTimeout(() => void this.store(), STORE_AFTER_MS).unref();
    }
  }
}
