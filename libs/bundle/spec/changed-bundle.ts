/** A good bundle, and how it is changed: line by line, byte by byte, in its manifest, or made anew. */
import { createHash } from 'node:crypto';
import { canonical } from '#events/jcs.js';
import type { NoteSigner } from '#merkle/note-key.js';
import type { FileName } from '../src/bundle-files.js';
import type { WrittenManifest } from '../src/manifest.js';
import { envelope, leaves, SmallLog, type BundleParts } from './small-log.js';

/** Entries 3 to 16 of a log of 21. */
export const LOG = new SmallLog(leaves(21));
export const FROM = 3;
export const TO = 17;
export const GOOD: BundleParts = LOG.bundle({ from: FROM, to: TO });

type Change = (bytes: Buffer) => Buffer;

export const changed = (name: FileName, change: Change, parts = GOOD): BundleParts =>
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
export const lines = (name: FileName, change: (lines: Lines) => Lines, parts = GOOD): BundleParts =>
  changed(
    name,
    (bytes) => {
      const changedLines = change(bytes.toString().split('\n').slice(0, -1));
      return Buffer.from(changedLines.map((line) => `${line}\n`).join(''));
    },
    parts,
  );
export const without = (at: number) => (all: Lines) => all.toSpliced(at, 1);
export const swapped = (at: number) => (all: Lines) => all.toSpliced(at, 2, all[at + 1]!, all[at]!);
export const replaced = (from: string, to: string, at: number) => (all: Lines) =>
  all.with(at, all[at]!.replace(from, to));
export const cut =
  (from: number, to?: number): Change =>
  (bytes) =>
    Buffer.concat([bytes.subarray(0, from), bytes.subarray(to ?? bytes.length)]);
export const flipped =
  (at: number): Change =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 1;
    return copy;
  };
export const alteredHash = (text: string): string => {
  const bytes = Buffer.from(text, 'base64');
  bytes[0]! ^= 1;
  return bytes.toString('base64');
};

export const signedBy = (signer: NoteSigner): BundleParts =>
  new SmallLog(leaves(21), signer).bundle({ from: FROM, to: TO });

/** The same entry with one member more true than it was, in all three files. */
export const rewritten = (): BundleParts => {
  const forged = new SmallLog(
    LOG.leaves.with(5, Buffer.from(canonical({ ...envelope(5), event: { decision: 'permit' } }))),
  ).bundle({ from: FROM, to: TO });
  return withManifest(withFile(forged, 'checkpoint', GOOD.get('checkpoint')!), (manifest) => {
    manifest.checkpoint = manifestOf(GOOD).checkpoint;
    manifest.files.checkpoint = manifestOf(GOOD).files.checkpoint;
  });
};

export const shifted = (by: number): BundleParts =>
  withManifest(GOOD, (manifest) => {
    manifest.from += by;
    manifest.to += by;
  });

export const dropped = (at: number): BundleParts => {
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
