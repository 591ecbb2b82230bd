/** What can be done to a bundle, and what a verifier has to say to it. Whoever tampers knows the format and mends the manifest after it. */
import { createHash } from 'node:crypto';
import { canonical } from '#events/jcs.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import type { FileName } from '../src/bundle-files.js';
import type { WrittenManifest } from '../src/manifest.js';
import { envelope, leaves, ORIGIN, SmallLog, type BundleParts } from './small-log.js';

/** Entries 3 to 16 of a log of 21. */
export const LOG = new SmallLog(leaves(21));
export const FROM = 3;
export const TO = 17;
export const GOOD: BundleParts = LOG.bundle({ from: FROM, to: TO });

export interface Tampering {
  what: string;
  parts: BundleParts;
  /** What is found first. */
  code: string;
  place: string;
}

type Change = (bytes: Buffer) => Buffer;

const changed = (name: FileName, change: Change, parts = GOOD): BundleParts =>
  new Map([...parts].map(([each, bytes]) => [each, each === name ? change(bytes) : bytes]));

export const manifestOf = (parts: BundleParts): WrittenManifest =>
  JSON.parse((parts.get('manifest.json') as Buffer).toString()) as WrittenManifest;

export const withManifest = (
  parts: BundleParts,
  change: (manifest: WrittenManifest) => void,
): BundleParts => {
  const manifest = manifestOf(parts);
  change(manifest);
  return changed('manifest.json', () => Buffer.from(JSON.stringify(manifest)), parts);
};

/** With the sizes and digests of the files as they are now. */
export const resealed = (parts: BundleParts): BundleParts =>
  withManifest(parts, (manifest) => {
    for (const [name, bytes] of parts)
      if (name !== 'manifest.json')
        Object.assign(manifest.files[name] ?? {}, {
          bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        });
  });

type Lines = string[];
export const withFile = (parts: BundleParts, name: FileName, bytes: Buffer): BundleParts =>
  new Map(parts).set(name, bytes);

/** The lines of a file, changed. */
const lines = (name: FileName, change: (lines: Lines) => Lines, parts = GOOD): BundleParts =>
  changed(
    name,
    (bytes) => {
      const changedLines = change(bytes.toString().split('\n').slice(0, -1));
      return Buffer.from(changedLines.map((line) => `${line}\n`).join(''));
    },
    parts,
  );
const without = (at: number) => (all: Lines) => all.toSpliced(at, 1);
const swapped = (at: number) => (all: Lines) => all.toSpliced(at, 2, all[at + 1]!, all[at]!);
const replaced = (from: string, to: string, at: number) => (all: Lines) =>
  all.with(at, all[at]!.replace(from, to));
const cut =
  (from: number, to?: number): Change =>
  (bytes) =>
    Buffer.concat([bytes.subarray(0, from), bytes.subarray(to ?? bytes.length)]);
const flipped =
  (at: number): Change =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
const alteredHash = (text: string): string => {
  const bytes = Buffer.from(text, 'base64');
  bytes[0]! ^= 1;
  return bytes.toString('base64');
};

const stranger = parseSigner(generateNoteKey(ORIGIN).skey);
const otherLog = parseSigner(generateNoteKey('other.example/log').skey);
const signedBy = (signer: typeof stranger): BundleParts =>
  new SmallLog(leaves(21), signer).bundle({ from: FROM, to: TO });

/** The same entry with one member more true than it was, in all three files. */
const rewritten = (): BundleParts => {
  const forged = new SmallLog(
    LOG.leaves.with(5, Buffer.from(canonical({ ...envelope(5), event: { decision: 'permit' } }))),
  ).bundle({ from: FROM, to: TO });
  return withManifest(withFile(forged, 'checkpoint', GOOD.get('checkpoint')!), (manifest) => {
    manifest.checkpoint = manifestOf(GOOD).checkpoint;
    manifest.files.checkpoint = manifestOf(GOOD).files.checkpoint;
  });
};

const shifted = (by: number): BundleParts =>
  withManifest(GOOD, (manifest) => {
    manifest.from += by;
    manifest.to += by;
  });

const dropped = (at: number): BundleParts => {
  let parts = lines('entries.jsonl', without(at));
  parts = lines('entries.csv', without(at + 1), parts);
  parts = changed('hashes.bin', cut(32 * at, 32 * (at + 1)), parts);
  return resealed(
    withManifest(parts, (manifest) => {
      manifest.to -= 1;
      const { 'entries.jsonl': leaves, 'entries.csv': table, 'hashes.bin': hashes } = manifest.files;
      for (const each of [leaves, table!, hashes]) each.rows -= 1;
    }),
  );
};

const told = (
  what: string,
  change: (manifest: WrittenManifest) => void,
  code: string,
  place = 'manifest.json',
) => ({
  ...{ what: `the manifest tells ${what}`, code, place },
  parts: withManifest(GOOD, change),
});

const ALTERED = 'ERR_BUNDLE_ENTRY_ALTERED';
const ROOT = 'ERR_BUNDLE_ROOT_MISMATCH';
const FILE = 'ERR_BUNDLE_FILE_ALTERED';
const ROW = 'ERR_BUNDLE_ROW_ALTERED';
const NOTE = 'ERR_NOTE_SIGNATURE_INVALID';

export const TAMPERINGS: Tampering[] = [
  // Entries.
  {
    what: 'a leaf was altered',
    parts: resealed(lines('entries.jsonl', replaced('deny', 'permit', 3))),
    ...{ code: ALTERED, place: 'entry 6' },
  },
  {
    what: 'a leaf was altered, and the manifest was not',
    parts: lines('entries.jsonl', replaced('crm', 'hr', 4)),
    ...{ code: ALTERED, place: 'entry 7' },
  },
  { what: 'an entry was rewritten everywhere', parts: rewritten(), code: ROOT, place: 'hashes.bin' },
  {
    what: 'two entries were swapped',
    parts: resealed(lines('entries.csv', swapped(9), lines('entries.jsonl', swapped(8)))),
    ...{ code: ALTERED, place: 'entry 11' },
  },
  {
    what: 'an entry was removed',
    parts: resealed(lines('entries.jsonl', without(10))),
    ...{ code: ALTERED, place: 'entry 13' },
  },
  { what: 'an entry was removed everywhere', parts: dropped(10), code: ROOT, place: 'hashes.bin' },
  {
    what: 'an entry was inserted',
    parts: resealed(lines('entries.jsonl', (all) => all.toSpliced(2, 0, all[0]!))),
    ...{ code: ALTERED, place: 'entry 5' },
  },
  {
    what: 'an entry was added at the end',
    parts: resealed(lines('entries.jsonl', (all) => [...all, all[0]!])),
    ...{ code: 'ERR_BUNDLE_ENTRY_SURPLUS', place: `entry ${TO}` },
  },
  {
    what: 'the last entries are missing',
    parts: resealed(lines('entries.jsonl', (all) => all.slice(0, -2))),
    ...{ code: 'ERR_BUNDLE_ENTRY_MISSING', place: 'entry 15' },
  },
  {
    what: 'the leaves end in the middle of a line',
    parts: resealed(changed('entries.jsonl', (bytes) => bytes.subarray(0, -40))),
    ...{ code: ALTERED, place: 'entry 16' },
  },
  {
    what: 'the last line has lost its end',
    parts: resealed(changed('entries.jsonl', (bytes) => bytes.subarray(0, -1))),
    ...{ code: FILE, place: 'entries.jsonl' },
  },
  {
    what: 'the leaves are gone',
    parts: resealed(changed('entries.jsonl', () => Buffer.alloc(0))),
    ...{ code: 'ERR_BUNDLE_ENTRY_MISSING', place: 'entry 3' },
  },
  {
    what: 'the leaves are one line without end',
    parts: resealed(changed('entries.jsonl', () => Buffer.alloc(3_000_000, 'a'))),
    ...{ code: ALTERED, place: 'entry 3' },
  },
  // Table.
  {
    what: 'a cell of the table was altered',
    parts: resealed(lines('entries.csv', replaced('crm.orders', 'hr.salaries', 5))),
    ...{ code: ROW, place: 'entry 7' },
  },
  {
    what: 'a cell of the table became a formula',
    parts: resealed(lines('entries.csv', replaced('broker', '=1+1', 1))),
    ...{ code: ROW, place: 'entry 3' },
  },
  {
    what: 'a row was renumbered',
    parts: resealed(lines('entries.csv', replaced('9,', '8,', 7))),
    ...{ code: ROW, place: 'entry 9' },
  },
  {
    what: 'a row was removed',
    parts: resealed(lines('entries.csv', without(3))),
    ...{ code: ROW, place: 'entry 5' },
  },
  {
    what: 'a row was added',
    parts: resealed(lines('entries.csv', (all) => [...all, all[1]!])),
    ...{ code: 'ERR_BUNDLE_ENTRY_SURPLUS', place: `entry ${TO}` },
  },
  {
    what: 'the table has other columns',
    parts: resealed(lines('entries.csv', replaced('task', 'tool', 0))),
    ...{ code: FILE, place: 'entries.csv' },
  },
  {
    what: 'the table was left out',
    parts: new Map([...GOOD].filter(([name]) => name !== 'entries.csv')),
    ...{ code: 'ERR_BUNDLE_FILE_MISSING', place: 'entries.csv' },
  },
  {
    what: 'a table was added',
    parts: withFile(
      LOG.bundle({ from: FROM, to: TO, withTable: false }),
      'entries.csv',
      Buffer.from('seq\n'),
    ),
    ...{ code: 'ERR_BUNDLE_FILE_UNKNOWN', place: 'entries.csv' },
  },
  // Hashes and proof.
  {
    what: 'a hash was altered',
    parts: resealed(changed('hashes.bin', flipped(32 * 2))),
    ...{ code: ALTERED, place: 'entry 5' },
  },
  {
    what: 'the hashes were cut short',
    parts: resealed(changed('hashes.bin', cut(64))),
    ...{ code: 'ERR_BUNDLE_MANIFEST', place: 'manifest.json' },
  },
  {
    what: 'the hashes were cut short, and the manifest was not changed',
    parts: changed('hashes.bin', cut(64)),
    ...{ code: ROOT, place: 'hashes.bin' },
  },
  told(
    'another hash on the left',
    (m) => (m.proof.left[0] = alteredHash(m.proof.left[0]!)),
    ROOT,
    'hashes.bin',
  ),
  told(
    'another hash on the right',
    (m) => (m.proof.right[1] = alteredHash(m.proof.right[1]!)),
    ROOT,
    'hashes.bin',
  ),
  told('a hash too few', (m) => m.proof.left.pop(), ROOT, 'hashes.bin'),
  told('a hash too many', (m) => m.proof.right.push(m.proof.right[0]!), ROOT, 'hashes.bin'),
  told('of no hash', (m) => (m.proof.right[0] = 'AAAA'), 'ERR_BUNDLE_MANIFEST'),
  { what: 'the range was moved up', parts: shifted(1), code: ROOT, place: 'hashes.bin' },
  { what: 'the range was moved down', parts: shifted(-1), code: ROOT, place: 'hashes.bin' },
  // Manifest.
  told('another log', (m) => (m.origin = 'audit.example/other'), 'ERR_BUNDLE_HEAD_MISMATCH'),
  told('another size', (m) => (m.checkpoint.size += 1), 'ERR_BUNDLE_HEAD_MISMATCH'),
  told(
    'another root',
    (m) => (m.checkpoint.root = alteredHash(m.checkpoint.root)),
    'ERR_BUNDLE_HEAD_MISMATCH',
  ),
  told('a longer range', (m) => (m.to += 1), 'ERR_BUNDLE_MANIFEST'),
  told('an empty range', (m) => (m.to = m.from), 'ERR_BUNDLE_MANIFEST'),
  told('other rows', (m) => (m.files['entries.csv']!.rows -= 1), 'ERR_BUNDLE_MANIFEST'),
  told('another digest', (m) => (m.files['entries.jsonl'].sha256 = '00'.repeat(32)), FILE, 'entries.jsonl'),
  told('another size of a file', (m) => (m.files['entries.csv']!.bytes += 1), FILE, 'entries.csv'),
  told(
    'another digest of the checkpoint',
    (m) => (m.files.checkpoint.sha256 = '00'.repeat(32)),
    FILE,
    'checkpoint',
  ),
  told('a member too many', (m) => Object.assign(m, { verified: true }), 'ERR_BUNDLE_MANIFEST'),
  told('a number that is none', (m) => Object.assign(m, { from: '3' }), 'ERR_BUNDLE_MANIFEST'),
  told('a number beyond all', (m) => (m.to = 2 ** 60), 'ERR_BUNDLE_MANIFEST'),
  told('another format', (m) => Object.assign(m, { format: 'zip' }), 'ERR_BUNDLE_MANIFEST'),
  {
    what: 'the manifest is no JSON',
    parts: changed('manifest.json', cut(100)),
    ...{ code: 'ERR_BUNDLE_MANIFEST', place: 'manifest.json' },
  },
  {
    what: 'the manifest is a list within a list, without end',
    parts: changed('manifest.json', () => Buffer.alloc(60_000, '[')),
    ...{ code: 'ERR_BUNDLE_MANIFEST', place: 'manifest.json' },
  },
  {
    what: 'the manifest is too large',
    parts: changed('manifest.json', (bytes) => Buffer.concat([bytes, Buffer.alloc(70_000, ' ')])),
    ...{ code: FILE, place: 'manifest.json' },
  },
  {
    what: 'there is no manifest',
    parts: new Map([...GOOD].filter(([name]) => name !== 'manifest.json')),
    ...{ code: 'ERR_BUNDLE_FILE_MISSING', place: 'manifest.json' },
  },
  // Checkpoint.
  {
    what: 'the checkpoint tells another size',
    parts: resealed(lines('checkpoint', replaced('21', '22', 1))),
    ...{ code: NOTE, place: 'checkpoint' },
  },
  {
    what: 'the checkpoint tells another root',
    parts: resealed(lines('checkpoint', (all) => all.with(2, alteredHash(all[2]!)))),
    ...{ code: NOTE, place: 'checkpoint' },
  },
  {
    what: 'the signature is another',
    parts: resealed(
      lines('checkpoint', (all) =>
        all.with(
          4,
          all[4]!.replace(/.(.{10})$/, (end) =>
            end.startsWith('A') ? `B${end.slice(1)}` : `A${end.slice(1)}`,
          ),
        ),
      ),
    ),
    ...{ code: NOTE, place: 'checkpoint' },
  },
  {
    what: 'the signature is gone',
    parts: resealed(lines('checkpoint', (all) => all.slice(0, 3))),
    ...{ code: 'ERR_NOTE_MALFORMED', place: 'checkpoint' },
  },
  {
    what: 'the checkpoint is that of an earlier size',
    parts: resealed(changed('checkpoint', () => Buffer.from(LOG.note(20)))),
    ...{ code: 'ERR_BUNDLE_HEAD_MISMATCH', place: 'manifest.json' },
  },
  {
    what: 'the checkpoint is no text',
    parts: resealed(changed('checkpoint', () => Buffer.alloc(300, 0xff))),
    ...{ code: 'ERR_NOTE_MALFORMED', place: 'checkpoint' },
  },
  {
    what: 'all was signed anew by another key of the same name',
    parts: signedBy(stranger),
    ...{ code: 'ERR_NOTE_UNTRUSTED', place: 'checkpoint' },
  },
  {
    what: 'it is of another log',
    parts: signedBy(otherLog),
    ...{ code: 'ERR_BUNDLE_LOG_UNKNOWN', place: 'checkpoint' },
  },
];
