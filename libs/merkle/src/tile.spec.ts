import { hasher, sha256 } from '../node/hasher.js';
import { parseVerifier } from '../node/keys.js';
import { refusal } from '../spec/refusal.js';
import { byteLeaves, hex, nodeReader, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { TESSERA } from '../spec/tessera.js';
import { openCheckpoint } from './checkpoint.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { encodeBundle, parseBundle } from './entry-bundle.js';
import { tilePath } from './tile-path.js';
import { perfectRoot, splitTile, tileOf, tilesCompleted } from './tile.js';

it('cuts the tile of the eight published leaf hashes', () => {
  const tile = Buffer.concat(PUBLISHED_INPUTS.map((input) => hasher.leaf(input)));
  expect(hex(sha256(tile))).toBe('aea2f1bbb5140fd5f8eacb503fdf54c00c3d860c72588e40233addd416bc8f10');
  expect(splitTile(tile).map(hex)).toEqual(PUBLISHED_INPUTS.map((input) => hex(hasher.leaf(input))));
});

it('writes the same fifteen tiles and fifteen bundles, byte for byte, to the same paths (tessera v1.0.4)', () => {
  const written: Record<string, string> = {};
  for (let width = 1; width <= TESSERA.leaves.length; width += 1) {
    const entries = TESSERA.leaves.slice(0, width);
    const tile = Buffer.concat(entries.map((entry) => hasher.leaf(entry)));
    written[tilePath({ level: 0, index: 0n, width })] = hex(sha256(tile));
    written[tilePath({ level: 'entries', index: 0n, width })] = hex(sha256(encodeBundle(entries)));
  }
  expect(written).toEqual(TESSERA.files);
});

it('has tiles and bundles at each published size that hold what the checkpoint signs (tessera@1811ae1)', () => {
  for (const [size, note] of TESSERA.checkpoints.entries()) {
    if (size === 0) continue;
    const entries = parseBundle(encodeBundle(TESSERA.leaves.slice(0, size)));
    const tile = Buffer.concat(entries.map((entry) => hasher.leaf(entry)));
    const range = append(hasher, EMPTY_RANGE, splitTile(tile));
    const { root } = openCheckpoint(note, TESSERA.origin, [parseVerifier(TESSERA.vkey)]);
    expect(hex(rootOf(hasher, range))).toBe(hex(root));
  }
});

it('finds every node in one tile', () => {
  expect(tileOf({ level: 0, index: 1000n })).toEqual({ tile: { level: 0, index: 3n }, from: 232, count: 1 });
  expect(tileOf({ level: 7, index: 3n })).toEqual({ tile: { level: 0, index: 1n }, from: 128, count: 128 });
  expect(tileOf({ level: 8, index: 300n })).toEqual({ tile: { level: 1, index: 1n }, from: 44, count: 1 });
  expect(tileOf({ level: 17, index: 2n ** 40n })).toEqual({
    tile: { level: 2, index: 2n ** 33n },
    from: 0,
    count: 2,
  });
});

it('computes from a tile what the tree holds', () => {
  const leaves = byteLeaves(512);
  const read = nodeReader(leaves);
  for (const level of [0, 3, 7]) {
    for (let index = 0n; index < BigInt(512 >> level); index += 5n) {
      const { tile, from, count } = tileOf({ level, index });
      const row = leaves.slice(Number(tile.index) * 256, Number(tile.index) * 256 + 256);
      expect(perfectRoot(hasher, row.slice(from, from + count))).toEqual(read({ level, index }));
    }
  }
});

it('names the tiles that growing has filled', () => {
  expect(tilesCompleted(0n, 255n)).toEqual([]);
  expect(tilesCompleted(255n, 256n)).toEqual([{ level: 0, index: 0n }]);
  expect(tilesCompleted(256n, 600n)).toEqual([{ level: 0, index: 1n }]);
  expect(tilesCompleted(65_530n, 65_540n)).toEqual([
    { level: 0, index: 255n },
    { level: 1, index: 0n },
  ]);
});

it('refuses what is no tile and no perfect subtree', () => {
  const invalid = refusal('ERR_RANGE_INVALID');
  for (const bytes of [0, 31, 33, 32 * 257]) expect(() => splitTile(Buffer.alloc(bytes))).toThrow(invalid);
  for (const count of [0, 3, 6]) expect(() => perfectRoot(hasher, byteLeaves(count))).toThrow(invalid);
});
