/** Reads the log of one partition. */
import type { Database } from '#store/database.js';
import type { BusRecord, Position } from '../bus.js';
import { foldHeaders } from '../fold-headers.js';

/** A fetch ends with the record that reaches one of these. */
const FETCH_RECORDS = 500;
const FETCH_BYTES = 1_048_576;

/** Bounds and records of one snapshot: a record below `high` that is not among them is gone for good. */
const FETCH = {
  name: 'bus-fetch',
  text: `SELECT h.low, h.high, r."offset", (extract(epoch FROM r.appended_at) * 1000)::float8 AS at_ms, r.key, r.value, r.headers
    FROM log_head h LEFT JOIN LATERAL (
      SELECT * FROM (
        SELECT l.*, sum(l.size_bytes) OVER (ORDER BY l."offset") - l.size_bytes AS before_bytes
        FROM log_record l WHERE l.topic = $1 AND l.partition = $2 AND l."offset" >= $3
        ORDER BY l."offset" LIMIT ${FETCH_RECORDS}) l
      WHERE l.before_bytes < ${FETCH_BYTES}) r ON true
    WHERE h.topic = $1 AND h.partition = $2 ORDER BY r."offset"`,
};

export interface Fetched {
  low: bigint;
  high: bigint;
  records: BusRecord[];
}
interface Row {
  low: bigint;
  high: bigint;
  offset: bigint | null;
  at_ms: number;
  key: Buffer;
  value: Buffer | null;
  headers: [name: string, base64: string][];
}

/** What follows a position, in order. An empty answer is one of a log that ends there, or was compacted behind it. */
export async function fetchRecords(db: Database, { topic, partition, next }: Position): Promise<Fetched> {
  const { rows } = await db.pool.query<Row>({ ...FETCH, values: [topic, partition, next] });
  const { low = 0n, high = 0n } = rows[0] ?? {};
  return {
    low,
    high,
    records: rows.flatMap((row) =>
      row.offset === null
        ? []
        : [
            {
              topic,
              partition,
              offset: row.offset,
              appendedAtMs: Math.floor(row.at_ms),
              key: row.key,
              value: row.value,
              headers: decodeHeaders(row.headers),
            },
          ],
    ),
  };
}

function decodeHeaders(headers: Row['headers']): BusRecord['headers'] {
  const decoded = headers.map(([key, base64]) => ({ key, value: Buffer.from(base64, 'base64') }));
  return foldHeaders(decoded) as BusRecord['headers'];
}
