import fc from 'fast-check';
import { refusal } from '../spec/refusal.js';
import { parseTilePath, tilePath, tilesOf, type TilePath } from './tile-path.js';

const invalid = refusal('ERR_TILE_PATH');

it.each<[string, TilePath]>([
  ['tile/0/x001/x234/067', { level: 0, index: 1_234_067n, width: 256 }],
  ['tile/0/000', { level: 0, index: 0n, width: 256 }],
  ['tile/0/273.p/112', { level: 0, index: 273n, width: 112 }],
  ['tile/1/001.p/17', { level: 1, index: 1n, width: 17 }],
  ['tile/entries/x001/000.p/1', { level: 'entries', index: 1_000n, width: 1 }],
  ['tile/63/999', { level: 63, index: 999n, width: 256 }],
])('reads and writes %s', (path, tile) => {
  expect(parseTilePath(path)).toEqual(tile);
  expect(tilePath(tile)).toBe(path);
});

it('reads every path that it writes', () => {
  const tile = fc.record({
    level: fc.oneof(fc.integer({ min: 0, max: 63 }), fc.constant('entries' as const)),
    index: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    width: fc.integer({ min: 1, max: 256 }),
  });
  fc.assert(fc.property(tile, (each) => expect(parseTilePath(tilePath(each))).toEqual(each)));
});

it.each([
  ...['', 'tile', 'tile/0', 'tile/0/', '/tile/0/000', 'tile/0/000/', 'tiles/0/000', 'tile//000'],
  ...[
    'tile/3/5/123/456/078',
    'tile/3/-1/x123/x456/078',
    'tile/-1/000',
    'tile/00/000',
    'tile/64/000',
    'tile/100/000',
  ],
  ...[
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x001',
    'tile/0/001/002',
    'tile/0/x000/001',
    'tile/0/x01/002',
    'tile/0/X001/002',
  ],
  ...[
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000.p/',
    'tile/0/000.p/-1',
    'tile/0/000.p',
  ],
  ...[
    'tile/0/000.p/1/2',
    'tile/0/000\n',
    'tile/0/٠٠٠',
    'tile/entry/000',
    'tile/0/../000',
    'tile/0/000?x',
    'tile/0/000%00',
  ],
  `tile/0/${'x999/'.repeat(6)}999`,
  `tile/0/${'x999/'.repeat(99)}999`,
])('refuses %j', (path) => {
  expect(() => parseTilePath(path)).toThrow(invalid);
});

it('writes no path of what is no tile', () => {
  const good: TilePath = { level: 0, index: 0n, width: 1 };
  for (const bad of [
    ...[-1, 64, 0.5, Number.NaN].map((level) => ({ ...good, level })),
    ...[0, 257, 1.5].map((width) => ({ ...good, width })),
    ...[-1n, 2n ** 63n].map((index) => ({ ...good, index })),
  ])
    expect(() => tilePath(bad)).toThrow(invalid);
});

it('names the tiles of a tree as the specification counts them', () => {
  expect(tilesOf(0n)).toEqual([]);
  expect(tilesOf(1n)).toEqual([{ level: 0, full: 0n, partial: 1 }]);
  expect(tilesOf(256n)).toEqual([
    { level: 0, full: 1n, partial: 0 },
    { level: 1, full: 0n, partial: 1 },
  ]);
  expect(tilesOf(70_000n)).toEqual([
    { level: 0, full: 273n, partial: 112 },
    { level: 1, full: 1n, partial: 17 },
    { level: 2, full: 0n, partial: 1 },
  ]);
});
