import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderStates, FolderWatch } from './folder-watch.js';

let dir: string;
let folders: { policy: string; catalogue: string };
let watch: FolderWatch<'policy' | 'catalogue'>;
const file = (name: string) => join(dir, name);

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-watch-'));
  folders = { policy: file('policy'), catalogue: file('catalogue') };
  await mkdir(folders.policy);
  await mkdir(folders.catalogue);
  await writeFile(file('policy/a.cedar'), 'a');
  await writeFile(file('catalogue/agents.yaml'), 'a');
  watch = new FolderWatch(folders, await folderStates(folders));
});
afterEach(() => rm(dir, { recursive: true }));

it.each(['policy/a.cedar', 'policy/b.cedar', 'catalogue/agents.yaml', 'catalogue/tools.yaml'])(
  'tells of a change of %s at the second look, for the first may see half of it',
  async (path) => {
    await writeFile(file(path), 'other');

    expect(await watch.look()).toBeUndefined();
    expect(await watch.look()).toEqual(await folderStates(folders));
  },
);

it('tells of a version again until it was read, and then no more', async () => {
  await writeFile(file('policy/a.cedar'), 'other');
  await watch.look();
  const states = (await watch.look())!;

  expect(await watch.look()).toEqual(states);
  expect(await watch.isRead(states)).toBe(true);
  expect(await watch.look()).toBeUndefined();
});

it('knows where a folder changed while it was read', async () => {
  await writeFile(file('policy/a.cedar'), 'other');
  await watch.look();
  const states = (await watch.look())!;
  await writeFile(file('catalogue/agents.yaml'), 'b');

  expect(await watch.isRead(states)).toBe(false);
  await watch.look();
  expect(await watch.look()).toBeDefined();
});

it('has nothing to tell while nothing is done', async () => {
  await watch.look();
  expect(await watch.look()).toBeUndefined();
});
