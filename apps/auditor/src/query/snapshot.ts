/**
 * The state of the log that an answer is of: a head that was signed. What came in after it is not in the answer, so that everything in it can be
 * proven against one checkpoint.
 */
import { parseCheckpointText } from '#merkle/checkpoint.js';
import type { Hash } from '#merkle/hash.js';
import { parseNote } from '#merkle/note.js';
import type { Tx } from '#store/database.js';
import { LogError } from '../log/log-error.js';
import { readCheckpoint } from '../log/checkpoints.js';

type Reader = Pick<Tx, 'query'>;

export interface Snapshot {
  size: bigint;
  root: Hash;
  /** The signed note that says so. */
  note: string;
}

/** The newest; undefined before the first checkpoint. */
export async function newestSnapshot(db: Reader): Promise<Snapshot | undefined> {
  const checkpoint = await readCheckpoint(db);
  return checkpoint === undefined ? undefined : snapshotOf(checkpoint.note);
}

/** The one of this size; undefined where no head of this size was signed. */
export async function snapshotOfSize(db: Reader, size: bigint): Promise<Snapshot | undefined> {
  const { rows } = await db.query<{ note: string }>(
    'SELECT note FROM checkpoint WHERE size = $1 ORDER BY signed_at DESC LIMIT 1',
    [size],
  );
  return rows[0] === undefined ? undefined : snapshotOf(rows[0].note);
}

function snapshotOf(note: string): Snapshot {
  const { size, root } = parseCheckpointText(parseNote(note).text);
  return { size, root, note };
}

/**
 * The first entry that the log took in at this time or later, `size` if there is none. Numbers are given in the order in which entries come in,
 * so a window of time is a run of numbers, and whoever has the run can see for themselves that nothing of it was left out.
 * @throws LogError ERR_LOG_ROWS_MISSING
 */
export async function seqAt(db: Reader, atMs: number, size: bigint): Promise<bigint> {
  const { rows } = await db.query<{ lo: bigint }>(
    `WITH RECURSIVE search (lo, hi) AS (
       SELECT 0::bigint, $2::bigint
       UNION ALL
       SELECT CASE WHEN found.is_before THEN middle.seq + 1 ELSE lo END, CASE WHEN found.is_before THEN hi ELSE middle.seq END
         FROM search, LATERAL (SELECT (lo + hi) / 2 AS seq) AS middle,
              LATERAL (SELECT ingested_at < to_timestamp($1::float8 / 1000) AS is_before FROM entry WHERE seq = middle.seq) AS found
        WHERE lo < hi)
     SELECT lo FROM search WHERE lo = hi`,
    [atMs, size],
  );
  if (rows[0] === undefined) throw new LogError('ERR_LOG_ROWS_MISSING', 'rows of the log are not all there');
  return rows[0].lo;
}
