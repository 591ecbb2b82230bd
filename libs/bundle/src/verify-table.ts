/** The table of a bundle against its leaves: each row is made again, so no cell says what no leaf says. */
import { isSameDigest, Lines, type BundleFiles } from './bundle-files.js';
import { CSV_HEADER, csvRow } from './csv-row.js';
import type { Finding } from './errors.js';
import { EntryFindings } from './findings.js';
import type { Manifest } from './manifest.js';

export interface TableVerdict {
  findings: Finding[];
  badEntries: number;
}

const SCRATCH_BYTES = 1 << 16;

/** A table is only as good as the leaves that it is compared with: they MUST be verified too. */
export function verifyTable(files: BundleFiles, { from, to, files: told }: Manifest): TableVerdict {
  const digest = told['entries.csv'];
  if (digest === undefined) return { findings: [], badEntries: 0 };
  const [leaves, rows] = [new Lines(files, 'entries.jsonl'), new Lines(files, 'entries.csv')];
  const found = new EntryFindings();
  const expected = Buffer.allocUnsafe(SCRATCH_BYTES);
  const hasHeader = rows.next()?.toString('utf8') === CSV_HEADER;
  for (let seq = from; seq < to; seq += 1) {
    const [leaf, row] = [leaves.next(), rows.next()];
    if (leaf === undefined) break;
    if (row === undefined || !isText(row, csvRow(seq, leaf), expected))
      found.add('ERR_BUNDLE_ROW_ALTERED', seq);
  }
  if (rows.next() !== undefined) found.add('ERR_BUNDLE_ENTRY_SURPLUS', to);
  const findings = [...found.first];
  if (!hasHeader || !rows.isWhole || !isSameDigest(rows.digest(), digest))
    findings.push({ code: 'ERR_BUNDLE_FILE_ALTERED', place: 'entries.csv' });
  return { findings, badEntries: found.count };
}

/** Without an allocation for each of a million rows. */
function isText(row: Buffer, text: string, scratch: Buffer): boolean {
  // A character has three bytes at most.
  if (text.length * 3 > scratch.length) return row.equals(Buffer.from(text));
  const bytes = scratch.write(text);
  return row.compare(scratch, 0, bytes) === 0;
}
