/** Where tiles and entry bundles are served and exported (C2SP tlog-tiles v0.1.0): `tile/<L>/<N>[.p/<W>]`, `tile/entries/<N>[.p/<W>]`. */
import { MerkleError } from './errors.js';
import { TILE_WIDTH } from './tile.js';

/** A tree of 2^63 leaves has eight levels of tiles; the format has room for more. */
const MAX_LEVEL = 63;
const MAX_INDEX = 2n ** 63n;

export interface TilePath {
  /** `entries`: the entries that a tile of level 0 has the hashes of. */
  level: number | 'entries';
  index: bigint;
  /** 1 to 256; 256 is a full tile, which never changes again. */
  width: number;
}

/** @throws MerkleError ERR_TILE_PATH for what is no tile. */
export function tilePath({ level, index, width }: TilePath): string {
  if (level !== 'entries' && !isWithin(level, 0, MAX_LEVEL)) throw invalid();
  if (index < 0n || index >= MAX_INDEX || !isWithin(width, 1, TILE_WIDTH)) throw invalid();
  const groups = [String(index % 1000n).padStart(3, '0')];
  for (let rest = index / 1000n; rest > 0n; rest /= 1000n)
    groups.unshift(`x${String(rest % 1000n).padStart(3, '0')}`);
  return `tile/${level}/${groups.join('/')}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** @throws MerkleError ERR_TILE_PATH for anything but the one path of some tile. */
export function parseTilePath(path: string): TilePath {
  const match = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,6}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) throw invalid();
  const [, level = '', groups = '', width] = match;
  const tile: TilePath = {
    level: level === 'entries' ? level : Number(level),
    index: BigInt(groups.replace(/[x/]/g, '')),
    width: width === undefined ? TILE_WIDTH : Number(width),
  };
  // `x000/001`, `.p/256` and `.p/07` read well, and are no paths.
  if (tilePath(tile) !== path) throw invalid();
  return tile;
}

/** The tiles of one level in a tree of this size: full ones from index 0 on, then perhaps one that is not. */
export interface TileLevel {
  level: number;
  full: bigint;
  /** Width of the last tile; 0 if there is none but full ones. */
  partial: number;
}

/** All tiles that a tree of this size consists of, level by level. Requires size >= 0. */
export function tilesOf(size: bigint): TileLevel[] {
  const levels: TileLevel[] = [];
  const width = BigInt(TILE_WIDTH);
  for (let [level, hashes] = [0, size]; hashes > 0n; level += 1, hashes /= width)
    levels.push({ level, full: hashes / width, partial: Number(hashes % width) });
  return levels;
}

const isWithin = (value: number, from: number, to: number): boolean =>
  Number.isInteger(value) && value >= from && value <= to;

const invalid = (): MerkleError => new MerkleError('ERR_TILE_PATH', 'not the path of a tile');
