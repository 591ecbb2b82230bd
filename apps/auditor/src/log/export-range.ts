/**
 * A contiguous range of the log for an export: what proves it as a whole (`libs/bundle`), and its leaves with the hashes that the
 * tree has of them. A row that was changed under the log keeps the hash that was signed, so a verifier names it.
 */
import { subtreesBetween } from '#bundle/range.js';
import type { Hash } from '#merkle/hash.js';
import { TILE_WIDTH } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';
import type { StoredEntry } from './entries.js';
import { readConsistencyProof, readSubtreeRoots } from './nodes.js';
import { readTileHashes } from './tile-rows.js';

type Reader = Pick<Tx, 'query'>;

export interface ExportRange {
  /** Inclusive. */
  from: bigint;
  /** Exclusive. */
  to: bigint;
  /** Of the signed head that proves it. */
  size: bigint;
  /** An earlier size that the head is to be shown to extend. */
  since?: bigint | undefined;
}

export interface RangeProof {
  left: Hash[];
  right: Hash[];
  since?: { size: bigint; hashes: Hash[] };
}

/** Requires 0 <= from < to <= size <= the log's size, and 0 <= since <= size. */
export async function readRangeProof(
  db: Reader,
  { from, to, size, since }: ExportRange,
): Promise<RangeProof> {
  const left = await readSubtreeRoots(db, subtreesBetween(0n, from));
  const right = await readSubtreeRoots(db, subtreesBetween(to, size));
  if (since === undefined) return { left, right };
  return { left, right, since: { size: since, hashes: await readConsistencyProof(db, since, size) } };
}

export interface ExportedEntry {
  leaf: Buffer;
  leafHash: Hash;
}

const PAGE = 4n * BigInt(TILE_WIDTH);

/** Page by page, in the order of the log. It ends before an entry that is not there: then somebody took it away. */
export async function* readRange(
  db: Reader,
  { from, to }: Pick<ExportRange, 'from' | 'to'>,
): AsyncGenerator<ExportedEntry[]> {
  for (let start = from; start < to;) {
    // Pages end where tiles do.
    const boundary = (start / PAGE + 1n) * PAGE;
    const end = boundary < to ? boundary : to;
    const page = await readPage(db, start, end);
    yield page;
    if (page.length < Number(end - start)) return;
    start = end;
  }
}

async function readPage(db: Reader, start: bigint, end: bigint): Promise<ExportedEntry[]> {
  const { rows } = await db.query<StoredEntry>(
    'SELECT seq, leaf, leaf_hash AS "leafHash" FROM entry WHERE seq >= $1 AND seq < $2 ORDER BY seq',
    [start, end],
  );
  const gap = rows.findIndex(({ seq }, i) => seq !== start + BigInt(i));
  const inTree = await readTileHashes(db, start, end);
  return rows
    .slice(0, gap < 0 ? undefined : gap)
    .map(({ seq, leaf, leafHash }) => ({ leaf, leafHash: inTree(seq) ?? leafHash }));
}
