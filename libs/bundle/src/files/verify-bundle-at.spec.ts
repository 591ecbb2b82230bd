import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveOf } from '../../spec/archive.js';
import { TRUST } from '../../spec/small-log.js';
import { FROM, GOOD, LOG, manifestOf, TO } from '../../spec/changed-bundle.js';
import type { FileName } from '../bundle-files.js';
import { verifyBundleAt } from './verify-bundle-at.js';
import { BundleWriter } from './write-bundle.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'mayfly-bundle-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const archive = archiveOf(GOOD);
const at = (name: string) => join(folder, name);
const verdictOn = (bytes: Buffer) => {
  writeFileSync(at('a.bundle'), bytes);
  return verifyBundleAt(at('a.bundle'), TRUST);
};
const unpacked = (parts: Iterable<readonly [string, Buffer]>): string => {
  mkdirSync(at('unpacked'));
  for (const [name, bytes] of parts) writeFileSync(join(at('unpacked'), name), bytes);
  return at('unpacked');
};
const head = {
  ...{ checkpoint: LOG.note(), from: FROM, to: TO },
  proof: manifestOf(GOOD).proof,
};

it('verifies an archive, and the folder that it was unpacked to', async () => {
  expect((await verdictOn(archive)).verdict).toBe('good');
  expect((await verifyBundleAt(unpacked(GOOD), TRUST)).verdict).toBe('good');
});

it('verifies an archive that the tar of this machine has made of that folder', async () => {
  const parts = unpacked(GOOD);
  execFileSync('tar', ['-cf', at('b.bundle'), '-C', parts, ...readdirSync(parts)]);
  expect((await verifyBundleAt(at('b.bundle'), TRUST)).verdict).toBe('good');
});

it('writes what tar can read, for its owner alone, and nothing beside it', async () => {
  const writer = new BundleWriter(at('c.bundle'), head);
  for (let seq = FROM; seq < TO; seq += 1) writer.draft.add(LOG.leaves[seq]!, LOG.hashes[seq]!);
  writer.keep();
  writer.close();

  expect((await verifyBundleAt(at('c.bundle'), TRUST)).verdict).toBe('good');
  expect(statSync(at('c.bundle')).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['c.bundle']);
  expect(
    execFileSync('tar', ['-tf', at('c.bundle')], { encoding: 'utf8' })
      .trim()
      .split('\n'),
  ).toEqual(['manifest.json', 'checkpoint', 'entries.jsonl', 'entries.csv', 'hashes.bin']);
});

it('leaves nothing of a bundle that was not finished, and writes over none', () => {
  writeFileSync(at('c.bundle'), 'evidence');
  const writer = new BundleWriter(at('c.bundle'), head);
  writer.draft.add(LOG.leaves[FROM]!, LOG.hashes[FROM]!);
  expect(() => writer.keep()).toThrow('EEXIST');
  writer.close();

  expect(readdirSync(folder)).toEqual(['c.bundle']);
  expect(readFileSync(at('c.bundle'), 'utf8')).toBe('evidence');
});

it('takes no leaf that is two lines', () => {
  const writer = new BundleWriter(at('c.bundle'), head);
  expect(() => writer.draft.add(Buffer.from('{\n}'), LOG.hashes[FROM]!)).toThrow(TypeError);
  writer.close();
});

it('refuses an archive cut short, wherever it was cut', async () => {
  for (let bytes = 0; bytes < archive.length - 512; bytes += 307) {
    const { verdict, findings } = await verdictOn(archive.subarray(0, bytes));
    expect([bytes, verdict, findings[0]?.code]).toEqual([bytes, 'altered', 'ERR_BUNDLE_ARCHIVE']);
  }
});

it('says which file was cut short', async () => {
  const entries = archive.indexOf('entries.jsonl');
  expect((await verdictOn(archive.subarray(0, entries + 2_000))).findings[0]?.place).toBe('entries.jsonl');
});

/** The header of the first file, changed, with its checksum mended. */
const withHeader = (change: (header: Buffer) => void): Buffer => {
  const copy = Buffer.from(archive);
  const header = copy.subarray(0, 512);
  change(header);
  header.fill(' ', 148, 156);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return copy;
};
const named = (name: string) => withHeader((header) => header.fill(0, 0, 100).write(name));

it.each([
  ['a path that leads out', named('../manifest.json'), 'ERR_BUNDLE_FILE_UNKNOWN'],
  ['an absolute path', named('/etc/passwd'), 'ERR_BUNDLE_FILE_UNKNOWN'],
  ['a name that no bundle has', named('README'), 'ERR_BUNDLE_FILE_UNKNOWN'],
  ['a name of nothing', named(''), 'ERR_BUNDLE_FILE_UNKNOWN'],
  ['a folder before the name', withHeader((header) => header.write('tmp', 345)), 'ERR_BUNDLE_FILE_UNKNOWN'],
  ['a link', withHeader((header) => header.write('2', 156)), 'ERR_BUNDLE_ARCHIVE'],
  ['an extended header', withHeader((header) => header.write('x', 156)), 'ERR_BUNDLE_ARCHIVE'],
  [
    'a size beyond the archive',
    withHeader((header) => header.write('77777777777', 124)),
    'ERR_BUNDLE_ARCHIVE',
  ],
  [
    'a size that is no number',
    withHeader((header) => header.write('-1         ', 124)),
    'ERR_BUNDLE_ARCHIVE',
  ],
  ['a size in base 256', withHeader((header) => header.write('\xff', 124, 'latin1')), 'ERR_BUNDLE_ARCHIVE'],
  ['no magic', withHeader((header) => header.fill(0, 257, 263)), 'ERR_BUNDLE_ARCHIVE'],
  ['a wrong checksum', Buffer.concat([Buffer.from('x'), archive.subarray(1)]), 'ERR_BUNDLE_ARCHIVE'],
  ['a file twice', archiveOf([...GOOD, ['checkpoint', Buffer.from('x')]]), 'ERR_BUNDLE_FILE_TWICE'],
  ['something behind the end', Buffer.concat([archive, Buffer.from('more')]), 'ERR_BUNDLE_ARCHIVE'],
  ['nothing at all', Buffer.alloc(0), 'ERR_BUNDLE_ARCHIVE'],
  ['another kind of file', Buffer.from('PK\x03\x04'.repeat(400)), 'ERR_BUNDLE_ARCHIVE'],
])('refuses an archive with %s', async (_what, bytes, code) => {
  expect(await verdictOn(bytes)).toMatchObject({ verdict: 'altered', findings: [{ code }] });
});

it('refuses a folder with a file too many', async () => {
  const path = unpacked([...GOOD, ['notes.txt', Buffer.from('')]]);
  expect((await verifyBundleAt(path, TRUST)).findings).toEqual([
    { code: 'ERR_BUNDLE_FILE_UNKNOWN', place: 'folder' },
  ]);
});

it('follows no link out of a folder', async () => {
  const path = unpacked([...GOOD].filter(([name]) => name !== 'checkpoint'));
  writeFileSync(at('elsewhere'), GOOD.get('checkpoint' satisfies FileName)!);
  symlinkSync(at('elsewhere'), join(path, 'checkpoint'));
  expect((await verifyBundleAt(path, TRUST)).findings).toEqual([
    { code: 'ERR_BUNDLE_ARCHIVE', place: 'checkpoint' },
  ]);
});

it('throws where there is nothing to be read', async () => {
  await expect(verifyBundleAt(at('nowhere'), TRUST)).rejects.toThrow('ENOENT');
});
