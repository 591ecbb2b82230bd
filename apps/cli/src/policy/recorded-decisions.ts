/** Decisions on calls out of the broker's database, in the order of their streams, page by page through one cursor. */
import type { RecordedCall } from '#policy/replay/rejudge.js';
import type { Tx } from '#store/database.js';

const PAGE = 500;

/** How many there are. */
export async function countDecisions(tx: Tx, sinceMs: number): Promise<number> {
  const { rows } = await tx.query<{ count: bigint }>(`SELECT count(*) ${FROM}`, [iso(sinceMs)]);
  return Number(rows[0]?.count ?? 0);
}

export async function* recordedDecisions(tx: Tx, sinceMs: number): AsyncGenerator<RecordedCall[]> {
  await tx.query(
    `DECLARE decisions NO SCROLL CURSOR FOR
       SELECT data AS decided, (SELECT inputs FROM decision_input WHERE digest = data ->> 'inputs') AS inputs ${FROM}
        ORDER BY recorded_at, stream, version`,
    [iso(sinceMs)],
  );
  for (;;) {
    const { rows } = await tx.query<RecordedCall>(`FETCH ${PAGE} FROM decisions`);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
  }
}

const FROM = `FROM event WHERE type = 'call.decided' AND recorded_at >= $1`;
const iso = (ms: number) => new Date(ms).toISOString();
