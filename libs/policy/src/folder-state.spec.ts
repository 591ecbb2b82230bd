import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { folderState } from './folder-state.js';

let dir: string;
const file = (name: string) => join(dir, name);
const signature = async () => (await folderState(dir)).signature;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-folder-'));
  await mkdir(file('tests'));
  await writeFile(file('schema.cedarschema'), 'schema');
  await writeFile(file('a.cedar'), 'a');
  await writeFile(file('tests/a.yaml'), 'a');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

it.each([
  ['a policy is written', () => writeFile(file('a.cedar'), 'b')],
  ['the schema is written', () => writeFile(file('schema.cedarschema'), 'other')],
  ['a test is written', () => writeFile(file('tests/a.yaml'), 'b')],
  ['a policy is added', () => writeFile(file('b.cedar'), 'b')],
  ['a part of a catalogue is added', () => writeFile(file('agents.yaml'), '[]')],
  ['a policy is taken away', () => rm(file('a.cedar'))],
  ['a policy gets another name', () => rename(file('a.cedar'), file('z.cedar'))],
  ['the folder is gone', () => rm(dir, { recursive: true })],
])('looks otherwise when %s', async (_what, change) => {
  const before = await signature();
  await change();
  expect(await signature()).not.toBe(before);
});

it('looks the same while nothing is done, and whatever else lies in it', async () => {
  const before = await signature();
  await writeFile(file('README.md'), 'read me');
  await mkdir(file('templates'));
  await writeFile(file('templates/t.cedar'), 't');
  expect(await signature()).toBe(before);
});

it('names the login that owns the newest file', async () => {
  expect((await folderState(dir)).by).toBe(`os:${userInfo().username}`);
});

it('names nobody where there is no file', async () => {
  expect(await folderState(file('nowhere'))).toEqual({ signature: '', by: 'os:unknown' });
});
