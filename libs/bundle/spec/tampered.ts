/** What can be done to a bundle, and what a verifier has to say to it. Whoever tampers knows the format and mends the manifest after it. */
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import type { WrittenManifest } from '../src/manifest.js';
import {
  alteredHash,
  changed,
  cut,
  flipped,
  GOOD,
  lines,
  LOG,
  replaced,
  resealed,
  shifted,
  signedBy,
  withManifest,
} from './changed-bundle.js';
import { ORIGIN } from './small-log.js';
import { TAMPERED_ENTRIES, type Tampering } from './tampered-entries.js';

const stranger = parseSigner(generateNoteKey(ORIGIN).skey);
const otherLog = parseSigner(generateNoteKey('other.example/log').skey);

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
const NOTE = 'ERR_NOTE_SIGNATURE_INVALID';

export const TAMPERINGS: Tampering[] = [
  ...TAMPERED_ENTRIES,
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
