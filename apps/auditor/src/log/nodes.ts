/** Reads tree nodes out of the stored log: out of full tiles, and for the rest out of the rows that will one day fill one. */
import type { Hash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import {
  nodesForConsistency,
  nodesForInclusion,
  proveConsistency,
  proveInclusion,
  rootFromNodes,
  type ReadNode,
} from '#merkle/proof.js';
import { nodesOf, type NodeId } from '#merkle/subtree.js';
import { perfectRoot, splitTile, tileOf, type TileId } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';
import { LogError } from './log-error.js';
import { readTileRows } from './tile-rows.js';

type Reader = Pick<Tx, 'query'>;

/** Requires 0 <= index < size <= the log's size. */
export async function readInclusionProof(db: Reader, index: bigint, size: bigint): Promise<Hash[]> {
  return proveInclusion(hasher, index, size, await readNodes(db, nodesForInclusion(index, size)));
}

/** One for each index, each tile read once. Requires 0 <= index < size <= the log's size. */
export async function readInclusionProofs(
  db: Reader,
  indices: readonly bigint[],
  size: bigint,
): Promise<Hash[][]> {
  const read = await readNodes(
    db,
    indices.flatMap((index) => nodesForInclusion(index, size)),
  );
  return indices.map((index) => proveInclusion(hasher, index, size, read));
}

/** The root that the log had at this size. Requires 0 <= size <= the log's size. */
export async function readRoot(db: Reader, size: bigint): Promise<Hash> {
  if (size === 0n) return hasher.emptyRoot;
  return rootFromNodes(hasher, size, await readNodes(db, nodesOf({ start: 0n, end: size })));
}

/** Requires 0 <= size1 <= size2 <= the log's size. */
export async function readConsistencyProof(db: Reader, size1: bigint, size2: bigint): Promise<Hash[]> {
  return proveConsistency(hasher, size1, size2, await readNodes(db, nodesForConsistency(size1, size2)));
}

/** Roots of perfect subtrees. Requires that the log has all their leaves. */
export async function readSubtreeRoots(db: Reader, subtrees: readonly NodeId[]): Promise<Hash[]> {
  return subtrees.map(await readNodes(db, subtrees));
}

/** Each tile is read once: a proof touches about two for every eight levels. Rows never change, so no snapshot is needed. */
async function readNodes(db: Reader, nodes: readonly NodeId[]): Promise<ReadNode> {
  const tiles = new Map<string, Hash[]>();
  for (const node of nodes) {
    const { tile } = tileOf(node);
    const id = `${tile.level}/${tile.index}`;
    if (!tiles.has(id)) tiles.set(id, await readTile(db, tile));
  }
  return (node) => {
    const { tile, from, count } = tileOf(node);
    const hashes = tiles.get(`${tile.level}/${tile.index}`)?.slice(from, from + count);
    if (hashes?.length !== count)
      throw new LogError('ERR_LOG_ROWS_MISSING', 'the rows of a node are not all there');
    return perfectRoot(hasher, hashes);
  };
}

async function readTile(db: Reader, tile: TileId): Promise<Hash[]> {
  const full = await db.query<{ hashes: Buffer }>('SELECT hashes FROM tile WHERE level = $1 AND idx = $2', [
    tile.level,
    tile.index,
  ]);
  const [row] = full.rows;
  return row === undefined ? readTileRows(db, tile) : splitTile(row.hashes);
}
