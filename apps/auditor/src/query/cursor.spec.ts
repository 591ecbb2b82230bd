import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cursors, CursorError } from './cursor.js';

const cursors = new Cursors(Buffer.alloc(32, 1));
const place = { after: 41n, size: 2n ** 53n, first: 0n, end: 1_000n, askedMs: 1_795_000_000_000n };
const QUERY = '["type=x"]';
const sealed = cursors.seal(place, QUERY);

const codeOf = (text: string, query = QUERY, by = cursors): string | undefined => {
  try {
    by.open(text, query);
    return undefined;
  } catch (error) {
    return error instanceof CursorError ? error.code : 'another error';
  }
};

it('comes back as it went', () => {
  expect(cursors.open(sealed, QUERY)).toEqual(place);
  expect(new Cursors(Buffer.alloc(32, 1)).open(sealed, QUERY)).toEqual(place);
  expect(encodeURIComponent(sealed)).toBe(sealed);
});

it('is good for one query', () => {
  expect(codeOf(sealed, '["type=y"]')).toBe('ERR_CURSOR_OF_OTHER_QUERY');
});

it('is good where the key is the same', () => {
  expect(codeOf(sealed, QUERY, new Cursors(Buffer.alloc(32, 2)))).toBe('ERR_CURSOR_INVALID');
});

it('is refused with any character changed, left out or added', () => {
  for (let i = 0; i < sealed.length; i += 1) {
    const other = sealed[i] === 'A' ? 'B' : 'A';
    expect(codeOf(sealed.slice(0, i) + other + sealed.slice(i + 1))).toBe('ERR_CURSOR_INVALID');
    expect(codeOf(sealed.slice(0, i) + sealed.slice(i + 1))).toBe('ERR_CURSOR_INVALID');
    expect(codeOf(sealed.slice(0, i) + other + sealed.slice(i))).toBe('ERR_CURSOR_INVALID');
  }
});

it('has one text: spare bits of its signature are not free', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const opened = [...alphabet].filter((last) => codeOf(sealed.slice(0, -1) + last) === undefined);
  expect(opened).toEqual([sealed.at(-1)]);
});

it.each(['', '.', 'abc', `${'A'.repeat(300)}.${'A'.repeat(22)}`, `${sealed}.${sealed}`, `${sealed}\n`])(
  'is refused as %j',
  (text) => expect(codeOf(text)).toBe('ERR_CURSOR_INVALID'),
);

describe('its key', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'mayfly-cursor-'))));
  afterAll(() => rm(folder, { recursive: true }));

  it('comes from a file that holds one, or nothing is signed', async () => {
    const file = join(folder, 'key');
    await writeFile(file, `${'01'.repeat(32)}\n`);
    expect((await Cursors.fromFile(file)).open(sealed, QUERY)).toEqual(place);
    await writeFile(file, 'secret\n');
    const refused = expect.objectContaining({ code: 'ERR_KEY_FILE_INVALID' }) as Error;
    await expect(Cursors.fromFile(file)).rejects.toEqual(refused);
    await expect(Cursors.fromFile(join(folder, 'none'))).rejects.toEqual(refused);
  });
});
