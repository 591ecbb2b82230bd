import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkpointText } from '#merkle/checkpoint.js';
import { signNote } from '#merkle/note.js';
import { logSigner, ORIGIN, rootAt } from '../../../../libs/merkle/spec/sample-log.js';
import { addCheckpoint, newestCheckpoint, pathOf, removeLeftovers } from './checkpoint-files.js';

let root: string;
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'mayfly-checkpoints-')), 'kept');
});
afterEach(() => rmSync(join(root, '..'), { recursive: true }));

const note = (size: bigint): string =>
  signNote(checkpointText({ origin: ORIGIN, size, root: rootAt(8) }), [logSigner]);
const add = (size: bigint) => addCheckpoint(root, { size, note: note(size) });
const files = () =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(root, name)).isFile(),
  );

it('keeps a file for each checkpoint, whose names sort as the sizes do', async () => {
  await newestCheckpoint(root);
  for (const size of [0n, 9n, 99_999n, 100_000n, 1_234_567n]) await add(size);
  expect(files().sort()).toEqual([
    '00000000000000/0000000000000000000.checkpoint',
    '00000000000000/0000000000000000009.checkpoint',
    '00000000000000/0000000000000099999.checkpoint',
    '00000000000001/0000000000000100000.checkpoint',
    '00000000000012/0000000000001234567.checkpoint',
  ]);
  expect(await newestCheckpoint(root)).toMatchObject({
    origin: ORIGIN,
    size: 1_234_567n,
    note: note(1_234_567n),
  });
});

it('has none in a folder that is new, or in which a process died before its first', async () => {
  expect(await newestCheckpoint(root)).toBeUndefined();
  mkdirSync(join(root, pathOf(5n).folder));
  expect(await newestCheckpoint(root)).toBeUndefined();
});

it('writes over nothing', async () => {
  await newestCheckpoint(root);
  await add(5n);
  await expect(addCheckpoint(root, { size: 5n, note: 'another' })).rejects.toMatchObject({ code: 'EEXIST' });
  const [file = ''] = files();
  expect([readFileSync(join(root, file), 'utf8'), files()]).toEqual([note(5n), [file]]);
});

it('is for everybody to read', async () => {
  await newestCheckpoint(root);
  await add(5n);
  const { folder, file } = pathOf(5n);
  expect(statSync(join(root, folder, file)).mode & 0o777).toBe(0o644);
});

it('takes away what a killed process left, and nothing else', async () => {
  await newestCheckpoint(root);
  await add(5n);
  const { folder } = pathOf(5n);
  writeFileSync(join(root, folder, '.0123456789abcdef.new'), 'half');
  writeFileSync(join(root, folder, 'README'), 'mine');
  expect((await newestCheckpoint(root))?.size).toBe(5n);
  await removeLeftovers(root);
  expect(readdirSync(join(root, folder)).sort()).toEqual([pathOf(5n).file, 'README']);
});

it.each([
  ['holds nothing', ''],
  ['holds something else', 'hello\n'],
  ['holds the checkpoint of another size', note(4n)],
  ['is too large', 'x'.repeat(1_000_001)],
])('refuses to go on from a newest file that %s', async (_what, text) => {
  await newestCheckpoint(root);
  const { folder, file } = pathOf(5n);
  mkdirSync(join(root, folder));
  writeFileSync(join(root, folder, file), text);
  await expect(newestCheckpoint(root)).rejects.toMatchObject({ name: 'MerkleError' });
});
