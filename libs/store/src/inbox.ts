/**
 * Dedupe by (authenticated sender, `ce_id`): rule 3 of admission. What was refused never enters, so that a forger
 * cannot burn somebody's id.
 */
import type { Tx } from './database.js';
import type { Write } from './writes.js';

export interface InboxEntry {
  sender: string;
  ceId: string;
  wireType: string;
  valueSha256: string;
}

/** `repeated`: these very bytes were handled. `reused`: the id was handled with another type or other bytes. */
export type Novelty = 'new' | 'repeated' | 'reused';

const keyOf = (entry: { sender: string; ceId: string }) => `${entry.ceId} ${entry.sender}`;

/** What one batch knows of the inbox: read once, added to as records are accepted, written once. */
export class Inbox {
  readonly #known = new Map<string, InboxEntry>();
  readonly #fresh: InboxEntry[] = [];

  /** Reads what is there of the records of a batch. */
  static async read(tx: Tx, entries: readonly { sender: string; ceId: string }[]): Promise<Inbox> {
    const inbox = new Inbox();
    if (entries.length === 0) return inbox;
    const { rows } = await tx.query<InboxEntry>({
      name: 'read-inbox',
      text: `SELECT sender, ce_id AS "ceId", wire_type AS "wireType", value_sha256 AS "valueSha256"
               FROM inbox JOIN unnest($1::text[], $2::text[]) AS b(sender, ce_id) USING (sender, ce_id)`,
      values: [entries.map((e) => e.sender), entries.map((e) => e.ceId)],
    });
    for (const row of rows) inbox.#known.set(keyOf(row), row);
    return inbox;
  }

  novelty(entry: InboxEntry): Novelty {
    const known = this.#known.get(keyOf(entry));
    if (known === undefined) return 'new';
    return known.wireType === entry.wireType && known.valueSha256 === entry.valueSha256
      ? 'repeated'
      : 'reused';
  }

  /** Remembers an accepted record. */
  accept(entry: InboxEntry): void {
    this.#known.set(keyOf(entry), entry);
    this.#fresh.push(entry);
  }

  /** Writes what was accepted. Another transaction's insert of the same pair is an error, and the batch is decided again. */
  async write(tx: Tx): Promise<void> {
    const fresh = this.fresh();
    if (fresh !== null) await tx.query({ name: 'write-inbox', text: fresh.sql, values: fresh.values });
  }

  /** What was accepted, to be written with other tables; null if nothing was. */
  fresh(): Write | null {
    if (this.#fresh.length === 0) return null;
    const column = (pick: (entry: InboxEntry) => string) => this.#fresh.map(pick);
    return {
      sql: `INSERT INTO inbox (sender, ce_id, wire_type, value_sha256)
              SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
      values: [
        column((e) => e.sender),
        column((e) => e.ceId),
        column((e) => e.wireType),
        column((e) => e.valueSha256),
      ],
    };
  }
}
