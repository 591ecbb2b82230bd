import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calculateJwkThumbprint } from 'jose';
import { generateNoteKey, parseVerifier } from '#merkle/node/keys.js';
import { jwkOf, readLogKeys } from './log-keys.js';

const ORIGIN = 'audit.example/log';
const [one, two] = [generateNoteKey(ORIGIN), generateNoteKey(ORIGIN)];
const other = generateNoteKey('other.example/log');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-keys-'));
  for (const [name, text] of Object.entries({
    one: one.skey,
    two: two.skey,
    other: other.skey,
    no: 'no key',
  }))
    await writeFile(join(folder, name), `${text}\n`);
});
afterAll(() => rm(folder, { recursive: true }));
const read = (...names: string[]) => readLogKeys(names.map((name) => join(folder, name)));

it('are all the keys that the signer is given, in that order', async () => {
  expect((await read('one', 'two')).map(({ vkey }) => vkey)).toEqual([one.vkey, two.vkey]);
});

it.each([
  [['one', 'other'], 'ERR_SIGNER_SET_UP', 'the keys of the signer are not all of one log'],
  [['one', 'one'], 'ERR_SIGNER_SET_UP', 'the signer is given a key twice'],
  [['none'], 'ERR_KEY_FILE_INVALID', 'a key file cannot be read'],
  [['no'], 'ERR_NOTE_KEY_INVALID', 'not a private note key'],
])('are refused from %j with %s', async (names, code, message) => {
  await expect(read(...names)).rejects.toMatchObject({ code, message });
});

it('are shown as JWKs too, under their thumbprint', async () => {
  const jwk = jwkOf(one);
  expect(Buffer.from(jwk.x, 'base64url').equals(parseVerifier(one.vkey).publicKey)).toBe(true);
  expect(jwk.kid).toBe(await calculateJwkThumbprint(jwk));
});
