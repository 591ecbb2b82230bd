/** What the auditor answers to an export, as a bundle in memory. */
import { BundleDraft } from '#bundle/bundle-draft.js';
import type { BundleFiles, FileName } from '#bundle/bundle-files.js';
import { readEntryLine, readHeadLine } from '#bundle/export-lines.js';

export interface Exported {
  files: BundleFiles;
  from: number;
  to: number;
  /** How many entries came. */
  entries: number;
}

/** @throws TypeError for an answer that is no export */
export function bundleOf(answer: Buffer): Exported {
  const [first, ...rest] = splitLines(answer);
  const head = first && readHeadLine(first);
  if (head === undefined) throw new TypeError('not an export');
  const parts = new Map<FileName, Buffer>();
  const draft = new BundleDraft(head, (name, piece) =>
    parts.set(name, Buffer.concat([parts.get(name) ?? Buffer.alloc(0), piece])),
  );
  for (const line of rest) {
    const entry = readEntryLine(line);
    if (entry === undefined) throw new TypeError('not an entry');
    draft.add(entry.leaf, entry.leafHash);
  }
  draft.finish();
  return {
    files: {
      sizes: new Map([...parts].map(([name, bytes]) => [name, bytes.length])),
      read: (name, offset, into) => parts.get(name)?.copy(into, 0, offset) ?? 0,
    },
    ...{ from: head.from, to: head.to, entries: rest.length },
  };
}

function splitLines(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new TypeError('the last line has no end');
    found.push(bytes.subarray(at, end));
    at = end + 1;
  }
  return found;
}
