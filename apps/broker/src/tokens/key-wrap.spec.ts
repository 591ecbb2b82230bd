import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { ensureKeyEncryptionKey } from '../development/key-encryption-key.js';
import { FileKeyWrap } from './key-wrap.js';

const secret = Buffer.from('a private key in PKCS #8');
const env = { MAYFLY_ENV: 'development' };
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-kek-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(text: string, mode = 0o600): string {
  const file = join(folder, 'kek');
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}
const wrapOf = async (key = randomBytes(32)) =>
  await FileKeyWrap.fromFile(fileWith(`${key.toString('base64')}\n`));

it('gives back what it wrapped, and shows nothing of it meanwhile', async () => {
  const wrap = await wrapOf();
  const [first, second] = [await wrap.wrap(secret, 'key a'), await wrap.wrap(secret, 'key a')];

  expect(await wrap.unwrap(first, 'key a')).toEqual(secret);
  expect(first.equals(second)).toBe(false);
  expect(first.includes(secret)).toBe(false);
});

it('opens under no other name, with no other key, and not with a byte changed', async () => {
  const wrap = await wrapOf();
  const wrapped = await wrap.wrap(secret, 'key a');
  const refused = { name: 'IdentityError', code: 'ERR_IDENTITY_KEY_INVALID' };

  await expect(wrap.unwrap(wrapped, 'key b')).rejects.toMatchObject(refused);
  await expect((await wrapOf()).unwrap(wrapped, 'key a')).rejects.toMatchObject(refused);
  for (let i = 0; i < wrapped.length; i += 1) {
    const changed = Buffer.from(wrapped);
    changed[i] = (changed[i] ?? 0) ^ 1;
    await expect(wrap.unwrap(changed, 'key a')).rejects.toMatchObject(refused);
  }
  for (const cut of [0, 1, 28, wrapped.length - 1])
    await expect(wrap.unwrap(wrapped.subarray(0, cut), 'key a')).rejects.toMatchObject(refused);
});

it.each([
  ['31 bytes', randomBytes(31).toString('base64')],
  ['hex', randomBytes(32).toString('hex')],
  ['base64url without padding', Buffer.alloc(32, 0xff).toString('base64url')],
  ['nothing', ''],
])('refuses a file with %s, and does not quote it', async (_what, text) => {
  const failed: unknown = await FileKeyWrap.fromFile(fileWith(text)).catch((error: unknown) => error);

  expect(failed).toMatchObject({ code: 'ERR_IDENTITY_KEY_INVALID' });
  if (text !== '') expect(inspect(failed)).not.toContain(text);
});

it.each([0o640, 0o604, 0o644])('refuses a file that others may open (%p)', async (mode) => {
  const file = fileWith(randomBytes(32).toString('base64'), mode);

  await expect(FileKeyWrap.fromFile(file)).rejects.toMatchObject({ code: 'ERR_IDENTITY_KEY_INVALID' });
});

it('says which file is missing', async () => {
  await expect(FileKeyWrap.fromFile(join(folder, 'none'))).rejects.toMatchObject({
    code: 'ERR_IDENTITY_FILE_UNREADABLE',
    fields: { file: join(folder, 'none') },
  });
});

describe('the key of development', () => {
  it('is made once, for its owner alone, and keeps opening what it wrapped', async () => {
    const files = await Promise.all([
      ensureKeyEncryptionKey(folder, env),
      ensureKeyEncryptionKey(folder, env),
    ]);
    const [file = ''] = files;
    const text = readFileSync(file, 'utf8');
    const wrapped = await (await FileKeyWrap.fromFile(file)).wrap(secret, 'key a');

    await ensureKeyEncryptionKey(folder, env);

    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await (await FileKeyWrap.fromFile(file)).unwrap(wrapped, 'key a')).toEqual(secret);
  });

  it('is made in development alone', async () => {
    await expect(ensureKeyEncryptionKey(folder, {})).rejects.toMatchObject({
      code: 'ERR_IDENTITY_DEVELOPMENT_ONLY',
    });
  });
});
