/**
 * Many tables in one round trip: each part inserts into, or updates, a table of its own, and all parts run as one statement.
 * PostgreSQL runs data-modifying parts of a `WITH` all on the snapshot of the statement, so no part sees another's rows: what
 * is written is the final version of each row, once.
 *
 * Documents of many rows go as one JSON array (`jsonb_array_elements`), not as `jsonb[]`: in an array's text each quote is escaped once more,
 * letter by letter on both sides. Bytes go together, too (`pack.ts`).
 */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { ConcurrencyError } from './concurrency-error.js';
import type { Tx } from './database.js';

export interface Write {
  /** One INSERT or UPDATE, its placeholders counted from `$1`. */
  sql: string;
  values: unknown[];
}

/**
 * Runs all parts; `last` is the one whose RETURNING is the answer.
 * @throws ConcurrencyError where a version of a stream was taken first
 */
export async function runWrites<R extends pg.QueryResultRow>(
  tx: Tx,
  parts: readonly (Write | null)[],
  last: Write,
): Promise<R[]> {
  const present = parts.filter((part) => part !== null);
  const values: unknown[] = [];
  const numbered = [...present, last].map((part) => {
    const offset = values.length;
    values.push(...part.values);
    return part.sql.replace(/\$(\d+)/g, (_all, n: string) => `$${Number(n) + offset}`);
  });
  const main = numbered.pop() ?? '';
  const text =
    numbered.length === 0 ? main : `WITH ${numbered.map((sql, n) => `w${n} AS (${sql})`).join(', ')} ${main}`;
  try {
    const { rows } = await tx.query<R>({ name: nameOf(text), text, values });
    return rows;
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    if (code === '23505' && constraint === 'event_pkey')
      throw new ConcurrencyError('a version of a stream is taken', { cause: error });
    throw error;
  }
}

/** A prepared statement's name; a few combinations of parts occur, and each is planned once a connection. */
const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `w_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    names.set(text, name);
  }
  return name;
}
