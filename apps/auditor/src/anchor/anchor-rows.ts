/** What anchors have reached, and the cosignatures that witnesses gave: beside the checkpoints, in the log's own schema. */
import { transact, type Database, type Tx } from '#store/database.js';
import type { Cosignature } from './witness-answer.js';

type Reader = Pick<Tx, 'query'>;

/** Size of the head that the anchor has; 0 where none is known. */
export async function readReached(db: Reader, anchor: string): Promise<bigint> {
  const { rows } = await db.query<{ size: bigint }>('SELECT size FROM anchor WHERE name = $1', [anchor]);
  return rows[0]?.size ?? 0n;
}

export async function recordReached(db: Reader, anchor: string, size: bigint): Promise<void> {
  await db.query(
    `INSERT INTO anchor (name, size) VALUES ($1, $2)
     ON CONFLICT (name) DO UPDATE SET size = $2, reached_at = clock_timestamp()`,
    [anchor, size],
  );
}

/** @param witness its key, `name+<key id>`. Requires that the cosignature was verified for the head of this size. */
export async function recordCosignature(
  db: Database,
  witness: string,
  size: bigint,
  { line, atS }: Cosignature,
): Promise<void> {
  await transact(db, async (tx) => {
    await tx.query(
      `INSERT INTO cosignature (size, witness, cosigned_at_s, line) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
      [size, witness, atS, line],
    );
    await recordReached(tx, witness, size);
  });
}
