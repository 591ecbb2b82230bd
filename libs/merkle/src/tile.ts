/**
 * C2SP tlog-tiles v0.1.0: the tree cut into tiles of 256 hashes, eight levels high. Tile (L, N) holds the nodes of level 8·L
 * from index 256·N on. A full tile never changes again, so it is stored once; every other node is computed from one tile.
 */
import { MerkleError } from './errors.js';
import { HASH_BYTES, type Hash, type TreeHasher } from './hash.js';
import type { NodeId } from './subtree.js';

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;

export interface TileId {
  level: number;
  index: bigint;
}

/** Where a node is found: the hashes `[from, from + count)` of a tile are its bottom row. `count` is a power of two. */
export interface TileSlice {
  tile: TileId;
  from: number;
  count: number;
}

export function tileOf({ level, index }: NodeId): TileSlice {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const height = BigInt(level % TILE_HEIGHT);
  const first = index << height;
  return {
    tile: { level: tileLevel, index: first / BigInt(TILE_WIDTH) },
    from: Number(first % BigInt(TILE_WIDTH)),
    count: 1 << Number(height),
  };
}

/** The root of a perfect subtree over these hashes. @throws MerkleError ERR_RANGE_INVALID unless their number is a power of two. */
export function perfectRoot(hasher: TreeHasher, hashes: readonly Hash[]): Hash {
  if (hashes.length === 0 || (hashes.length & (hashes.length - 1)) !== 0)
    throw new MerkleError('ERR_RANGE_INVALID', 'not a perfect subtree');
  let row = [...hashes];
  while (row.length > 1) {
    const above: Hash[] = [];
    for (let i = 0; i < row.length; i += 2) above.push(hasher.node(row[i] as Hash, row[i + 1] as Hash));
    row = above;
  }
  return row[0] as Hash;
}

/** The hashes of a tile's bytes. @throws MerkleError ERR_RANGE_INVALID unless there are 1 to 256 whole hashes. */
export function splitTile(bytes: Uint8Array): Hash[] {
  const count = bytes.length / HASH_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > TILE_WIDTH)
    throw new MerkleError('ERR_RANGE_INVALID', 'not a tile');
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** Tiles that become full when a tree grows from one size to another, lowest level first. */
export function tilesCompleted(sizeBefore: bigint, sizeAfter: bigint): TileId[] {
  const tiles: TileId[] = [];
  const width = BigInt(TILE_WIDTH);
  let [before, after] = [sizeBefore / width, sizeAfter / width];
  for (let level = 0; after > 0n; level += 1) {
    for (let index = before; index < after; index += 1n) tiles.push({ level, index });
    [before, after] = [before / width, after / width];
  }
  return tiles;
}
