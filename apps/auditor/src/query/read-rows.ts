/**
 * One page of rows of a projection, the latest first. Rows are found by an index, in the order of two columns that no row loses again, and so many are
 * looked at: a page may be shorter than was asked for, even empty, and still not be the last one.
 */
import type { Row } from '#projection/tables.js';
import type { Position } from '#projection/turn.js';
import { readPosition } from '#projection/turn.js';
import { transact, type Database, type Tx } from '#store/database.js';
import type { Bind } from './translate.js';

/** Rows looked at for one page. */
const LOOKED_AT = 2_000;

export interface RowsQuery {
  table: string;
  /** Numbers; the second one is a place in the log, and of no two rows the same. */
  order: readonly [string, string];
  /** What an index finds. */
  found: (bind: Bind) => readonly string[];
  /** What is asked of rows that were found. */
  wanted: (bind: Bind) => readonly string[];
  limit: number;
  /** Where the page before ended. */
  before: Place | undefined;
}

/** Of a row, in the order of the query. */
export interface Place {
  at: bigint;
  seq: bigint;
}

/** Rows and how far they are, of one state of the database. */
export async function onProjections<T>(
  db: Database,
  work: (tx: Tx, position: Position) => Promise<T>,
): Promise<T> {
  return await transact(db, async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    return await work(tx, await readPosition(tx));
  });
}

/** @returns `last`: behind which the next page begins; undefined where there is nothing more */
export async function readRows(
  db: Pick<Tx, 'query'>,
  query: RowsQuery,
): Promise<{ rows: Row[]; last: Place | undefined }> {
  const { statement, values } = rowsStatement(query);
  const { rows } = await db.query<{ row: Row }>(statement, values);
  const found = rows.map(({ row }) => row);
  const end = found.at(-1);
  return {
    rows: found,
    last: found.length === query.limit && end ? placeOf(end, query) : await lastSeen(db, query),
  };
}

/** Pure. */
export function rowsStatement(query: RowsQuery): { statement: string; values: unknown[] } {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const looked = scanned('*', query, bind);
  const wanted = query.wanted(bind);
  const statement = `SELECT row_to_json(t) AS row FROM (${looked}) AS t
    WHERE ${wanted.length === 0 ? 'true' : wanted.join(' AND ')} ORDER BY ${latest(query)} LIMIT ${bind(query.limit)}::int`;
  return { statement, values };
}

function scanned(what: string, query: RowsQuery, bind: Bind): string {
  const { table, order, found, before } = query;
  const conditions = [
    ...found(bind),
    ...order.map((column) => `${column} IS NOT NULL`),
    ...(before === undefined
      ? []
      : [`(${order.join(', ')}) < (${bind(before.at)}::bigint, ${bind(before.seq)}::bigint)`]),
  ];
  return `SELECT ${what} FROM ${table} WHERE ${conditions.join(' AND ')} ORDER BY ${latest(query)} LIMIT ${LOOKED_AT}`;
}

const latest = ({ order }: RowsQuery): string => order.map((column) => `${column} DESC`).join(', ');

/** Which row was looked at last; undefined where the index had no more. */
async function lastSeen(db: Pick<Tx, 'query'>, query: RowsQuery): Promise<Place | undefined> {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const [at, seq] = query.order;
  const { rows } = await db.query<{ at: bigint; seq: bigint }>(
    `SELECT ${at} AS at, ${seq} AS seq FROM (${scanned(`${at}, ${seq}`, query, bind)}) AS t OFFSET ${LOOKED_AT - 1}`,
    values,
  );
  return rows[0];
}

const placeOf = (row: Row, { order: [at, seq] }: RowsQuery): Place => ({
  at: BigInt(Number(row[at])),
  seq: BigInt(Number(row[seq])),
});
