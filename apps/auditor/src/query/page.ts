/**
 * One page of the entries that a filter lets pass. What a request may cost is bounded: rows are found by an index, in the order of the log, and
 * so many of them are looked at. A page may therefore be shorter than was asked for, even empty, and still not be the last one (AIP-158).
 */
import { unreachable } from '#events/unreachable.js';
import type { Tx } from '#store/database.js';
import type { StoredEntry } from '../log/entries.js';
import type { Filter } from './filter.js';
import { memberText } from './leaf-text.js';
import { translate, type Bind, type Names, type Scan } from './translate.js';

type Reader = Pick<Tx, 'query'>;

/** Rows looked at for one page, where columns say enough, and where leaves must be opened. */
const ROWS = 20_000n;
const LEAVES = 4_000n;

export type Order = 'asc' | 'desc';

export interface PageQuery {
  filter: Filter | undefined;
  /** Whose entries may be seen; all, if undefined. */
  tenants: readonly string[] | undefined;
  /** Sequence numbers `[first, end)`. */
  first: bigint;
  end: bigint;
  order: Order;
  limit: number;
}

export interface Page {
  entries: StoredEntry[];
  /** The entry that was looked at last: the next page begins behind it. Undefined where there is nothing more. */
  last: bigint | undefined;
}

/** @throws FilterError */
export async function readPage(db: Reader, query: PageQuery, names: Names): Promise<Page> {
  const { range, statement, values, scan, rows: budget } = pageStatement(query, names);
  if (range.first >= range.end) return { entries: [], last: undefined };
  const { rows } = await db.query<StoredEntry>(statement, values);
  const seen =
    rows.length === query.limit ? rows.at(-1)?.seq : await lastSeen(db, query.order, range, scan, budget);
  return { entries: rows, last: seen === undefined || isEdge(seen, query.order, range) ? undefined : seen };
}

interface Range {
  first: bigint;
  end: bigint;
}

export interface PageStatement {
  statement: string;
  values: unknown[];
  range: Range;
  scan: Scan;
  rows: bigint;
}

/** Pure. @throws FilterError */
export function pageStatement(query: PageQuery, names: Names): PageStatement {
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const translated = translate(query.filter, bind, names);
  const { scan } = translated;
  const conditions = [...translated.texts.map((text) => holds([text], bind)), translated.sql];
  if (query.tenants !== undefined) conditions.push(...isOf(query.tenants, bind));
  const readsLeaf = translated.readsLeaf || query.tenants !== undefined;
  const rows = readsLeaf ? LEAVES : ROWS;
  const whole = {
    first: max(query.first, translated.first ?? 0n),
    end: min(query.end, translated.end ?? query.end),
  };
  const range = scan.by === 'log' ? span(whole, query.order, rows) : whole;
  const leaf = readsLeaf
    ? "CROSS JOIN LATERAL (SELECT convert_from(e.leaf, 'UTF8')::jsonb AS leaf OFFSET 0) AS said"
    : '';
  const statement = `SELECT e.seq, e.leaf, e.leaf_hash AS "leafHash"
    FROM (${scanned('*', scan, range, query.order, rows, bind)}) AS e ${leaf}
   WHERE ${conditions.join(' AND ')} ORDER BY ${orderOf(scan, query.order, 'e.')} LIMIT ${bind(query.limit)}::int`;
  return { statement, values, range: whole, scan, rows };
}

/** Asked of the bytes, before a leaf is opened. */
const holds = (texts: readonly string[], bind: Bind): string =>
  `(${texts.map((text) => `strpos(convert_from(e.leaf, 'UTF8'), ${bind(text)}::text) > 0`).join(' OR ')})`;

function isOf(tenants: readonly string[], bind: Bind): string[] {
  const texts = tenants.map((tenant) => memberText('tenant', tenant));
  const known = texts.filter((text) => text !== undefined);
  return [
    ...(known.length < texts.length || known.length === 0 ? [] : [holds(known, bind)]),
    `(said.leaf #>> '{event,tenant}') = ANY(${bind(tenants)}::text[])`,
  ];
}

const DIRECTION: Readonly<Record<Order, string>> = { asc: 'ASC', desc: 'DESC' };

function scanned(what: string, scan: Scan, range: Range, order: Order, rows: bigint, bind: Bind): string {
  const [first, end] = [`${bind(range.first)}::bigint`, `${bind(range.end)}::bigint`];
  return `SELECT ${what} FROM entry WHERE ${scanOf(scan, first, end, bind)} AND seq >= ${first} AND seq < ${end}
    ORDER BY ${orderOf(scan, order)} LIMIT ${bind(rows)}::bigint`;
}

function scanOf(scan: Scan, first: string, end: string, bind: Bind): string {
  switch (scan.by) {
    case 'log':
      return 'true';
    case 'task':
      return `task_id = ${bind(scan.taskId)}::text`;
    case 'type': {
      // As a run of the index of types: of an equality PostgreSQL believes that reading all of the range costs less, where types come in clusters.
      const type = `${bind(scan.type)}::text`;
      return `type IS NOT NULL AND (type, seq) >= (${type}, ${first}) AND (type, seq) < (${type}, ${end})`;
    }
    case 'decision':
      return `type = 'call.decided' AND event_id = ${bind(scan.eventId)}::text`;
    default:
      return unreachable(scan);
  }
}

/** Of the log, said so that the index by which the rows are found gives it. */
const orderOf = (scan: Scan, order: Order, of = ''): string =>
  (scan.by === 'type' ? ['type', 'seq'] : ['seq'])
    .map((column) => `${of}${column} ${DIRECTION[order]}`)
    .join(', ');

/** Which row was the last one that was looked at; undefined where the index had no more. */
async function lastSeen(
  db: Reader,
  order: Order,
  range: Range,
  scan: Scan,
  budget: bigint,
): Promise<bigint | undefined> {
  if (scan.by === 'log') {
    const { first, end } = span(range, order, budget);
    return order === 'asc' ? end - 1n : first;
  }
  const values: unknown[] = [];
  const bind: Bind = (value) => `$${values.push(value)}`;
  const { rows } = await db.query<{ n: bigint; last: bigint | null }>(
    `SELECT count(*) AS n, ${order === 'asc' ? 'max' : 'min'}(seq) AS last FROM (${scanned('seq', scan, range, order, budget, bind)}) AS e`,
    values,
  );
  const { n = 0n, last = null } = rows[0] ?? {};
  return n < budget || last === null ? undefined : last;
}

/** Numbers are dense: so many rows are so many numbers. */
function span({ first, end }: Range, order: Order, rows: bigint): Range {
  return order === 'asc' ? { first, end: min(end, first + rows) } : { first: max(first, end - rows), end };
}

const isEdge = (seq: bigint, order: Order, { first, end }: Range): boolean =>
  order === 'asc' ? seq + 1n >= end : seq <= first;

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
