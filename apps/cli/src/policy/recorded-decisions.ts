/** Decisions on calls out of the broker's database, in the order of their streams, page by page through one cursor. */
import type { WrittenCall } from '#policy/replay/replay.js';
import type { Tx } from '#store/database.js';

const PAGE = 500;

export interface KeptDecision extends WrittenCall {
  /** The `ce_id` under which the broker told of it. */
  id: string;
  /** Younger than a minute: it may not be in the log yet. */
  isFresh: boolean;
}

/** How many there are. */
export async function countDecisions(tx: Tx, sinceMs: number): Promise<number> {
  const { rows } = await tx.query<{ count: bigint }>(`SELECT count(*) ${FROM}`, [iso(sinceMs)]);
  return Number(rows[0]?.count ?? 0);
}

export async function* recordedDecisions(tx: Tx, sinceMs: number): AsyncGenerator<KeptDecision[]> {
  await tx.query(
    `DECLARE decisions NO SCROLL CURSOR FOR
       SELECT ce_id AS id, recorded_at > now() - interval '1 minute' AS "isFresh", data::text AS decided,
              (SELECT inputs::text FROM decision_input WHERE digest = data ->> 'inputs') AS inputs ${FROM}
        ORDER BY recorded_at, stream, version`,
    [iso(sinceMs)],
  );
  for (;;) {
    const { rows } = await tx.query<KeptDecision>(`FETCH ${PAGE} FROM decisions`);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
  }
}

const FROM = `FROM event WHERE type = 'call.decided' AND recorded_at >= $1`;
const iso = (ms: number) => new Date(ms).toISOString();
