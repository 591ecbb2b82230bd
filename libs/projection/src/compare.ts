/** Rows that answer, beside rows that were made anew. */
import type pg from 'pg';
import type { Tx } from '#store/database.js';
import { nameOn } from './rows.js';
import { TABLES, type Row, type Table, type TableName } from './tables.js';

/** Differences that are told of one table. */
const TOLD = 5;
/** Millions of rows take their time. */
const LARGE_MS = 3_600_000;

export interface Difference {
  key: string[];
  /** Null: there is no such row. */
  live: Row | null;
  rebuilt: Row | null;
}
export interface TableReport {
  table: TableName;
  /** That were made anew. */
  rows: number;
  differing: number;
  /** The first of them, by key. */
  first: Difference[];
}

export async function compareTable(tx: Tx, table: TableName): Promise<TableReport> {
  const { key }: Table = TABLES[table];
  const { rows: counts } = await large<{ n: bigint }>(
    tx,
    `SELECT count(*) AS n FROM ${nameOn('rebuilt', table)}`,
  );
  const { rows } = await large<{ n: bigint; live: Row | null; rebuilt: Row | null }>(
    tx,
    `SELECT count(*) OVER () AS n, to_jsonb(l) AS live, to_jsonb(r) AS rebuilt
       FROM ${nameOn('live', table)} l FULL JOIN ${nameOn('rebuilt', table)} r USING (${key.join(', ')})
      WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*) ORDER BY ${key.join(', ')} LIMIT ${TOLD}`,
  );
  return {
    table,
    rows: Number(counts[0]?.n ?? 0n),
    differing: Number(rows[0]?.n ?? 0n),
    first: rows.map(({ live, rebuilt }) => ({
      key: key.map((column) => String((live ?? rebuilt)?.[column])),
      ...{ live, rebuilt },
    })),
  };
}

/** Only what differs is written. */
export async function takeRebuilt(tx: Tx, table: TableName): Promise<void> {
  const { key }: Table = TABLES[table];
  const [live, rebuilt] = [nameOn('live', table), nameOn('rebuilt', table)];
  const same = key.map((column) => `r.${column} = l.${column}`).join(' AND ');
  await large(
    tx,
    `DELETE FROM ${live} l WHERE NOT EXISTS (
       SELECT FROM ${rebuilt} r WHERE ${same} AND ROW(r.*) IS NOT DISTINCT FROM ROW(l.*))`,
  );
  await large(tx, `INSERT INTO ${live} SELECT * FROM ${rebuilt} ON CONFLICT (${key.join(', ')}) DO NOTHING`);
}

function large<R extends pg.QueryResultRow>(tx: Tx, text: string): Promise<pg.QueryResult<R>> {
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: LARGE_MS };
  return tx.query<R>(query);
}
