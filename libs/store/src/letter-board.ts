/** Parked records as an operator sees them and gives orders about them; the service carries the orders out (`release.ts`). */
import type { Tx } from './database.js';
import { shownHeaders } from './dead-letter-records.js';
import { unpackHeaders, type ParkedWhy } from './parking.js';

export type LetterState = 'parked' | 'retry' | 'drop' | 'released' | 'dropped';

/** A line of the list: a record that failed, and how many wait behind it. */
export interface BoardLine {
  id: bigint;
  topic: string;
  partition: number;
  offset: bigint;
  key: string;
  why: ParkedWhy;
  code: string;
  holds: boolean;
  state: LetterState;
  attempts: number;
  parkedAt: Date;
  /** Records of its key that wait behind it here, and those beyond the limit that are on the dead-letter topic only. */
  waiting: number;
  passedOver: number;
}

export interface LetterOnBoard extends BoardLine {
  detail: string;
  appendedAtMs: bigint;
  valueSha256: string;
  orderedBy: string | null;
  orderedAt: Date | null;
  reason: string | null;
  settledAt: Date | null;
  /** What may be shown of it: no token. Null once it is settled: the bytes are gone. */
  content: { headers: Record<string, string>; value: Buffer | null } | null;
}

const LINE = `id, topic, partition, bus_offset AS "offset", key_text AS key, why, code, holds, state, attempts,
  parked_at AS "parkedAt", passed_over AS "passedOver",
  CASE WHEN holds AND why = 'bug' THEN (SELECT count(*)::int FROM dead_letter AS b
    WHERE b.consumer_group = l.consumer_group AND b.key_text = l.key_text AND b.holds AND b.settled_at IS NULL AND b.id > l.id)
  ELSE 0 END AS waiting`;

/** Those that failed, oldest first; with `all` those that wait behind them too. */
export async function listLetters(
  tx: Tx,
  group: string,
  { limit, all }: { limit: number; all: boolean },
): Promise<{ lines: BoardLine[]; total: number }> {
  const { rows } = await tx.query<BoardLine>(
    `SELECT ${LINE} FROM dead_letter AS l
      WHERE consumer_group = $1 AND settled_at IS NULL AND ($3 OR why = 'bug') ORDER BY id LIMIT $2`,
    [group, limit, all],
  );
  const { rows: counted } = await tx.query<{ total: number }>(
    'SELECT count(*)::int AS total FROM dead_letter WHERE consumer_group = $1 AND settled_at IS NULL',
    [group],
  );
  return { lines: rows, total: counted[0]?.total ?? 0 };
}

type Row = Omit<LetterOnBoard, 'content'> & { headers: Buffer | null; value: Buffer | null };

export async function readLetter(tx: Tx, group: string, id: bigint): Promise<LetterOnBoard | null> {
  const { rows } = await tx.query<Row>(
    `SELECT ${LINE}, detail, appended_at_ms AS "appendedAtMs", value_sha256 AS "valueSha256", ordered_by AS "orderedBy",
            ordered_at AS "orderedAt", reason, settled_at AS "settledAt", headers, value
       FROM dead_letter AS l WHERE consumer_group = $1 AND id = $2`,
    [group, id],
  );
  const [row] = rows;
  if (row === undefined) return null;
  const { headers, value, ...letter } = row;
  const shown = headers === null ? null : shownHeaders(unpackHeaders(headers));
  return { ...letter, content: shown === null ? null : { headers: shown, value } };
}

/** @returns how it stood before; the order was taken where that is no end. Null where there is no such letter. */
export async function orderLetter(
  tx: Tx,
  group: string,
  id: bigint,
  want: 'retry' | 'drop',
  order: { by: string; reason: string | null },
): Promise<LetterState | null> {
  const { rows } = await tx.query<{ state: LetterState }>(
    `WITH before AS (SELECT id, state FROM dead_letter WHERE consumer_group = $1 AND id = $2 FOR UPDATE),
          ordered AS (UPDATE dead_letter AS l
                         SET state = $3, ordered_by = $4, ordered_at = clock_timestamp(), reason = $5
                        FROM before AS b WHERE l.id = b.id AND l.settled_at IS NULL)
     SELECT state FROM before`,
    [group, id, want, order.by, order.reason],
  );
  return rows[0]?.state ?? null;
}
