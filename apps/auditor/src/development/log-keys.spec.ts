import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseSigner } from '#merkle/node/keys.js';
import { Pseudonyms } from '../leaf/keys.js';
import { ensureLogKeys } from './log-keys.js';

const development = { MAYFLY_ENV: 'development' };
let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'mayfly-log-keys-'))));
afterEach(() => rm(folder, { recursive: true }));

it('makes keys that the auditor can read, closed to others', async () => {
  const files = await ensureLogKeys(folder, 'mayfly.dev/log', development);

  const signer = parseSigner((await readFile(files.signerKey, 'utf8')).trim());
  expect(signer.name).toBe('mayfly.dev/log');
  expect((await readFile(files.verifierKey, 'utf8')).trim()).toBe(signer.vkey);
  await expect(Pseudonyms.fromFile(files.pseudonymKey)).resolves.toBeInstanceOf(Pseudonyms);
  for (const file of [files.signerKey, files.pseudonymKey])
    expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('keeps the keys that are there, also when two processes come at once', async () => {
  const [one, two] = await Promise.all([
    ensureLogKeys(folder, 'mayfly.dev/log', development),
    ensureLogKeys(folder, 'mayfly.dev/log', development),
  ]);
  const kept = await readFile(one.signerKey, 'utf8');
  await ensureLogKeys(folder, 'mayfly.dev/log', development);

  expect(two).toEqual(one);
  expect(await readFile(one.signerKey, 'utf8')).toBe(kept);
});

it('makes none outside development', async () => {
  await expect(ensureLogKeys(folder, 'mayfly.dev/log', {})).rejects.toMatchObject({
    code: 'ERR_LOG_KEYS_DEVELOPMENT_ONLY',
  });
});
