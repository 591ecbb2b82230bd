/** Checkpoints as they are stored: the log's signed heads, which the signer adds (`../signer/sign-head.ts`). */
import type { Tx } from '#store/database.js';

type Reader = Pick<Tx, 'query'>;

export interface StoredCheckpoint {
  size: bigint;
  note: string;
  ageMs: number;
}

/** The newest checkpoint. */
export async function readCheckpoint(db: Reader): Promise<StoredCheckpoint | undefined> {
  const { rows } = await db.query<StoredCheckpoint>(
    `SELECT size, note, (extract(epoch FROM clock_timestamp() - signed_at) * 1000)::float8 AS "ageMs"
       FROM checkpoint ORDER BY size DESC, signed_at DESC LIMIT 1`,
  );
  return rows[0];
}

/** How long the oldest entry that no checkpoint covers has waited for one; 0 where all are covered. */
export async function unsignedMs(db: Reader): Promise<number> {
  const { rows } = await db.query<{ ms: number }>(
    `SELECT (extract(epoch FROM clock_timestamp() - ingested_at) * 1000)::float8 AS ms FROM entry
      WHERE seq = coalesce((SELECT size FROM checkpoint ORDER BY size DESC LIMIT 1), 0)`,
  );
  return rows[0]?.ms ?? 0;
}
