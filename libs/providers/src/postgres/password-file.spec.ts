import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../secret.js';
import { readPasswords, writePasswords } from './password-file.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-password-'));
  file = join(folder, 'password');
});
afterEach(() => rm(folder, { recursive: true }));
const inClear = async () => (await readPasswords(file)).map((password) => password.reveal());

it('holds one password, or two while it is being changed', async () => {
  await writePasswords(file, [new Secret('one')]);
  expect(await inClear()).toEqual(['one']);
  await writePasswords(file, [new Secret('two'), new Secret('one')]);
  expect(await inClear()).toEqual(['two', 'one']);
});

it('is its owner’s alone, and replaced as a whole', async () => {
  await writePasswords(file, [new Secret('one')]);
  await writePasswords(file, [new Secret('two')]);

  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['password']);
});

it('is replaced where a process died while it wrote one before', async () => {
  await writePasswords(file, [new Secret('one')]);
  await writeFile(`${file}.part`, 'half of', { mode: 0o644 });
  expect(await inClear()).toEqual(['one']);

  await writePasswords(file, [new Secret('two')]);
  expect(await inClear()).toEqual(['two']);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('may end without a line feed, or with that of another system', async () => {
  await writeFile(file, 'one', { mode: 0o600 });
  expect(await inClear()).toEqual(['one']);
  await writeFile(file, 'one\r\n');
  expect(await inClear()).toEqual(['one']);
});

it.each([
  ['is not there', () => Promise.resolve(), 'the password file cannot be read'],
  [
    'is empty',
    () => writeFile(file, '\n', { mode: 0o600 }),
    'the password file holds no password, or more than two lines',
  ],
  [
    'has three lines',
    () => writeFile(file, 'one\ntwo\nthree\n', { mode: 0o600 }),
    'the password file holds no password, or more than two lines',
  ],
  [
    'is open to everybody',
    async () => {
      await writeFile(file, 'one\n');
      await chmod(file, 0o644);
    },
    'the password file is open to everybody: mode 0600 is wanted',
  ],
])('is refused where it %s, without a word of what it holds', async (_what, prepare, message) => {
  await prepare();
  await expect(readPasswords(file)).rejects.toMatchObject({ code: 'ERR_PASSWORD_FILE', file, message });
});

it('says so where it cannot be replaced', async () => {
  await expect(writePasswords(join(folder, 'gone', 'password'), [new Secret('one')])).rejects.toMatchObject({
    code: 'ERR_PASSWORD_FILE',
    message: 'the password file cannot be replaced',
  });
});
