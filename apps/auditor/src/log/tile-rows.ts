import type { Hash } from '#merkle/hash.js';
import { splitTile, TILE_WIDTH, type TileId } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';

type Reader = Pick<Tx, 'query'>;

/** The hashes that fill a tile, as far as they are there: leaf hashes at level 0, roots of full tiles above. */
export async function readTileRows(db: Reader, { level, index }: TileId): Promise<Hash[]> {
  const first = index * BigInt(TILE_WIDTH);
  const last = first + BigInt(TILE_WIDTH) - 1n;
  const { rows } = await db.query<{ hash: Buffer }>(
    level === 0
      ? 'SELECT leaf_hash AS hash FROM entry WHERE seq BETWEEN $1 AND $2 ORDER BY seq'
      : 'SELECT root AS hash FROM tile WHERE level = $3 AND idx BETWEEN $1 AND $2 ORDER BY idx',
    level === 0 ? [first, last] : [first, last, level - 1],
  );
  return rows.map(({ hash }) => hash);
}

/** Hashes that full tiles have of the leaves `[from, to)`. Requires from < to. */
export async function readTileHashes(
  db: Reader,
  from: bigint,
  to: bigint,
): Promise<(seq: bigint) => Hash | undefined> {
  const width = BigInt(TILE_WIDTH);
  const { rows } = await db.query<{ index: bigint; hashes: Buffer }>(
    'SELECT idx AS index, hashes FROM tile WHERE level = 0 AND idx BETWEEN $1 AND $2',
    [from / width, (to - 1n) / width],
  );
  const tiles = new Map(rows.map(({ index, hashes }) => [index, splitTile(hashes)]));
  return (seq) => tiles.get(seq / width)?.[Number(seq % width)];
}
