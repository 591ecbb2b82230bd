/**
 * Erasure: raw bytes and the keys of the commitments go, the tree stays. Afterwards the leaves still prove that something
 * was recorded, when and by whom, and nobody can open what the commitments stand for.
 */
import { transact, type Database } from '#store/database.js';

/**
 * @param owner the schema's owner: the auditor's own role may not erase.
 * @returns how many payloads were still there.
 */
export async function erasePayloads(owner: Database, seqs: readonly bigint[]): Promise<number> {
  return transact(owner, async (tx) => {
    const { rowCount } = await tx.query('DELETE FROM payload WHERE seq = ANY($1::bigint[])', [seqs]);
    return rowCount ?? 0;
  });
}
