/**
 * Which keys are held by a parked record, as far as one reader knows, so that a batch need not ask the database for nothing.
 * Knows too many rather than too few: what was parked before the positions were read is read after them, and where another
 * owner of a partition turns out to have been at work, all keys of the batch are asked for.
 */
import type { BusRecord } from '#bus/bus.js';
import type { Database, Tx } from './database.js';
import { heldKeys, keyText } from './parking.js';

export class HeldKeys {
  #maybe = new Set<string>();

  constructor(private readonly group: string) {}

  /** MUST be called after each look at the stored positions, and before the records behind them are handled. */
  async load(db: Database): Promise<void> {
    const { rows } = await db.pool.query<{ key: string }>(
      'SELECT DISTINCT key_text AS key FROM dead_letter WHERE consumer_group = $1 AND holds AND settled_at IS NULL',
      [this.group],
    );
    this.#maybe = new Set(rows.map(({ key }) => key));
  }

  add(record: BusRecord): void {
    this.#maybe.add(keyText(record.key));
  }

  /** Those of the records whose key is held, by the database's word. @param all asks for every key. */
  async among(tx: Tx, records: readonly BusRecord[], all: boolean): Promise<ReadonlySet<BusRecord>> {
    if (this.#maybe.size === 0 && !all) return new Set();
    const keys = [...new Set(records.map((record) => keyText(record.key)))];
    const asked = all ? keys : keys.filter((key) => this.#maybe.has(key));
    if (asked.length === 0) return new Set();
    const held = await heldKeys(tx, this.group, asked);
    for (const key of asked) {
      if (held.has(key)) this.#maybe.add(key);
      else this.#maybe.delete(key);
    }
    return new Set(records.filter((record) => held.has(keyText(record.key))));
  }
}
