/** The windows of refused records, in the transaction that refuses them: nothing that is counted is lost or counted twice. */
import type { RefusalCode } from '#events/refusal.js';
import type { Tx } from '#store/database.js';
import type { Write } from '#store/writes.js';
import { REFUSAL_WINDOW_MS, type RefusalKind, type RefusalWindow } from './refusals.js';

interface Row {
  topic: string;
  partition: number;
  sender: string;
  code: RefusalCode;
  opened_at_ms: bigint;
  singly: number;
  count: number;
  reason: string;
  first_offset: bigint;
  first_sha256: string;
  last_offset: bigint;
  last_sha256: string;
}

const windowOf = (row: Row): RefusalWindow => ({
  topic: row.topic,
  partition: row.partition,
  sender: row.sender,
  code: row.code,
  openedAtMs: Number(row.opened_at_ms),
  singly: row.singly,
  beyond:
    row.count === 0
      ? null
      : {
          count: row.count,
          reason: row.reason,
          first: { offset: row.first_offset, valueSha256: row.first_sha256 },
          last: { offset: row.last_offset, valueSha256: row.last_sha256 },
        },
});

/** Locks them: whoever closes windows meanwhile is waited for. */
export async function readWindows(tx: Tx, kinds: readonly RefusalKind[]): Promise<RefusalWindow[]> {
  const { rows } = await tx.query<Row>(
    `SELECT w.* FROM refusal_window AS w
       JOIN unnest($1::text[], $2::int[], $3::text[], $4::text[]) AS k(topic, partition, sender, code)
            USING (topic, partition, sender, code)
      ORDER BY w.topic, w.partition, w.sender, w.code FOR UPDATE OF w`,
    [
      kinds.map(({ topic }) => topic),
      kinds.map(({ partition }) => partition),
      kinds.map(({ sender }) => sender),
      kinds.map(({ code }) => code),
    ],
  );
  return rows.map(windowOf);
}

/** Takes away the windows that are over. @returns them. What is being counted at this moment is left for the next time. */
export async function takeOver(tx: Tx, nowMs: number): Promise<RefusalWindow[]> {
  const { rows } = await tx.query<Row>(
    `DELETE FROM refusal_window WHERE (topic, partition, sender, code) IN (
       SELECT topic, partition, sender, code FROM refusal_window
        WHERE opened_at_ms <= $1 ORDER BY opened_at_ms LIMIT 1000 FOR UPDATE SKIP LOCKED)
     RETURNING *`,
    [nowMs - REFUSAL_WINDOW_MS],
  );
  return rows.map(windowOf);
}

export function windowsWrite(windows: readonly RefusalWindow[]): Write | null {
  if (windows.length === 0) return null;
  return {
    sql: `INSERT INTO refusal_window (topic, partition, sender, code, opened_at_ms, singly, count, reason,
                                      first_offset, first_sha256, last_offset, last_sha256)
            SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::bigint[], $6::int[], $7::int[],
                                 $8::text[], $9::bigint[], $10::text[], $11::bigint[], $12::text[])
          ON CONFLICT (topic, partition, sender, code) DO UPDATE SET
            opened_at_ms = excluded.opened_at_ms, singly = excluded.singly, count = excluded.count,
            reason = excluded.reason, first_offset = excluded.first_offset, first_sha256 = excluded.first_sha256,
            last_offset = excluded.last_offset, last_sha256 = excluded.last_sha256`,
    values: [
      windows.map(({ topic }) => topic),
      windows.map(({ partition }) => partition),
      windows.map(({ sender }) => sender),
      windows.map(({ code }) => code),
      windows.map(({ openedAtMs }) => Math.trunc(openedAtMs)),
      windows.map(({ singly }) => singly),
      windows.map(({ beyond }) => beyond?.count ?? 0),
      windows.map(({ beyond }) => beyond?.reason ?? null),
      windows.map(({ beyond }) => beyond?.first.offset ?? null),
      windows.map(({ beyond }) => beyond?.first.valueSha256 ?? null),
      windows.map(({ beyond }) => beyond?.last.offset ?? null),
      windows.map(({ beyond }) => beyond?.last.valueSha256 ?? null),
    ],
  };
}
