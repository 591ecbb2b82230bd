import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { madeOnce } from './made-once.mjs';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'made-once-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const write = (text: string) => (part: string) => {
  writeFileSync(join(part, 'file'), text);
  return Promise.resolve();
};

it('makes a folder once', async () => {
  const folder = await madeOnce(join(parent, 'jars'), write('first'));
  await madeOnce(folder, write('second'));
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('first');
});
it('makes one folder when several make it at once', async () => {
  const folder = join(parent, 'jars');
  await Promise.all(['a', 'b', 'c'].map((text) => madeOnce(folder, write(text))));
  expect(readdirSync(parent)).toEqual(['jars']);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toMatch(/^[abc]$/);
});
it('leaves nothing of a failure, so that the next one makes it', async () => {
  const folder = join(parent, 'jars');
  await expect(madeOnce(folder, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  expect(readdirSync(parent)).toEqual([]);
  await madeOnce(folder, write('whole'));
  expect(existsSync(folder)).toBe(true);
});
it('clears away what a killed maker left, and nothing of a living one', async () => {
  const beyondAnyPid = 2 ** 30;
  const living = `jars.${process.pid}.0a.part`;
  mkdirSync(join(parent, `jars.${beyondAnyPid}.0a.part`));
  mkdirSync(join(parent, living));
  await madeOnce(join(parent, 'jars'), write('whole'));
  expect(readdirSync(parent).sort()).toEqual(['jars', living].sort());
});
