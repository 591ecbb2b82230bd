/** The table of a bundle against its leaves: each row is made again, so no cell says what no leaf says. */
import { Lines, type Digest } from './bundle-files.js';
import { CSV_HEADER, csvRow } from './csv-row.js';
import { EntryFindings } from './findings.js';

export interface RowsVerdict {
  findings: EntryFindings;
  hasHeader: boolean;
  rows: Digest;
  isWhole: boolean;
}

export function verifyRows(
  leaves: Lines,
  rows: Lines,
  { from, to }: { from: number; to: number },
): RowsVerdict {
  const findings = new EntryFindings();
  const hasHeader = rows.next()?.toString('utf8') === CSV_HEADER;
  for (let seq = from; seq < to; seq += 1) {
    const [leaf, row] = [leaves.next(), rows.next()];
    // A leaf that is missing is told of where leaves are looked at.
    if (leaf === undefined) break;
    if (row === undefined || !row.equals(Buffer.from(csvRow(seq, leaf))))
      findings.add('ERR_BUNDLE_ROW_ALTERED', seq);
  }
  if (rows.next() !== undefined) findings.add('ERR_BUNDLE_ENTRY_SURPLUS', to);
  return { findings, hasHeader, isWhole: rows.isWhole, rows: rows.digest() };
}
