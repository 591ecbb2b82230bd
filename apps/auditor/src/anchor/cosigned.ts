/** Signed heads as they are handed out: with the cosignatures of witnesses. */
import { NOTE_LIMITS } from '#merkle/note.js';
import type { Tx } from '#store/database.js';
import { snapshotOfSize, type Snapshot } from '../query/snapshot.js';

type Reader = Pick<Tx, 'query'>;

/** Leaves room for the log's own signatures. */
const MAX_COSIGNATURES = NOTE_LIMITS.signatures - 10;

/** The same head, its note with the newest cosignature of each witness that has seen it. */
export async function withCosigned<T extends Pick<Snapshot, 'size' | 'note'>>(
  db: Reader,
  head: T,
): Promise<T> {
  const { rows } = await db.query<{ line: string }>(
    `SELECT DISTINCT ON (witness) line FROM cosignature WHERE size = $1
      ORDER BY witness, cosigned_at_s DESC LIMIT ${MAX_COSIGNATURES}`,
    [head.size],
  );
  return { ...head, note: head.note + rows.map(({ line }) => line).join('') };
}

/** Everybody may ask for what no witness ever gave: so far back is looked. One witness gives some 8,600 a day at most, unless told otherwise. */
const LOOKED_AT = 20_000;

/** The newest head that at least so many witnesses cosigned. A log that grows has a newer one, which they have not seen yet. */
export async function cosignedHead(db: Reader, witnesses: number): Promise<Snapshot | undefined> {
  const { rows } = await db.query<{ size: bigint }>(
    `SELECT size FROM (SELECT size, witness FROM cosignature ORDER BY size DESC LIMIT ${LOOKED_AT}) AS newest
      GROUP BY size HAVING count(DISTINCT witness) >= $1 ORDER BY size DESC LIMIT 1`,
    [witnesses],
  );
  const head = rows[0] === undefined ? undefined : await snapshotOfSize(db, rows[0].size);
  return head === undefined ? undefined : await withCosigned(db, head);
}
