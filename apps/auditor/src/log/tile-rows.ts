import type { Hash } from '#merkle/hash.js';
import { TILE_WIDTH, type TileId } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';

/** The hashes that fill a tile, as far as they are there: leaf hashes at level 0, roots of full tiles above. */
export async function readTileRows(db: Pick<Tx, 'query'>, { level, index }: TileId): Promise<Hash[]> {
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
