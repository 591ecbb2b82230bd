/** Full tiles against the root that stands beside each, and against the tiles below: so that the hashes of leaves bear the head. */
import { sameHash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { perfectRoot, splitTile, TILE_WIDTH } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';
import type { RowFinding } from './check-rows.js';

type Reader = Pick<Tx, 'query'>;

interface TileRow {
  index: bigint;
  hashes: Buffer;
  root: Buffer;
  /** Roots of the tiles that this one is made of; null at level 0. */
  below: Buffer | null;
}

const WIDTH = BigInt(TILE_WIDTH);
const PAGE = 64n;

/** Tiles `[from, to)` of a level, as far as they are full. A finding names the entries under the tile. */
export async function checkTiles(db: Reader, level: number, from: bigint, to: bigint): Promise<RowFinding[]> {
  return (await readTiles(db, level, from, to)).filter(isAltered).map(({ index }) => {
    const leaves = WIDTH ** BigInt(level + 1);
    return { seq: index * leaves, to: (index + 1n) * leaves, fault: 'root' };
  });
}

/** All above level 0: one for 65,536 entries. Requires the log's size. */
export async function checkUpperTiles(db: Reader, size: bigint): Promise<RowFinding[]> {
  const found: RowFinding[] = [];
  for (let level = 1; size >= WIDTH ** BigInt(level + 1); level += 1) {
    const count = size / WIDTH ** BigInt(level + 1);
    for (let from = 0n; from < count; from += PAGE)
      found.push(...(await checkTiles(db, level, from, from + PAGE)));
  }
  return found;
}

const isAltered = ({ hashes, root, below }: TileRow): boolean =>
  !sameHash(perfectRoot(hasher, splitTile(hashes)), root) || (below !== null && !below.equals(hashes));

async function readTiles(db: Reader, level: number, from: bigint, to: bigint): Promise<TileRow[]> {
  const { rows } = await db.query<TileRow>(
    `SELECT idx AS index, hashes, root,
            CASE WHEN level > 0 THEN (SELECT string_agg(b.root, ''::bytea ORDER BY b.idx) FROM tile b
              WHERE b.level = t.level - 1 AND b.idx BETWEEN t.idx * ${WIDTH} AND t.idx * ${WIDTH} + ${WIDTH - 1n}) END AS below
       FROM tile t WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`,
    [level, from, to],
  );
  return rows;
}
