/** What can be done to the entries of a bundle, and to the table that shows them. */
import {
  changed,
  dropped,
  FROM,
  GOOD,
  lines,
  LOG,
  replaced,
  resealed,
  rewritten,
  swapped,
  TO,
  withFile,
  without,
} from './changed-bundle.js';
import type { BundleParts } from './small-log.js';

export interface Tampering {
  what: string;
  parts: BundleParts;
  /** What is found first. */
  code: string;
  place: string;
}

const ALTERED = 'ERR_BUNDLE_ENTRY_ALTERED';
const ROOT = 'ERR_BUNDLE_ROOT_MISMATCH';
const FILE = 'ERR_BUNDLE_FILE_ALTERED';
const ROW = 'ERR_BUNDLE_ROW_ALTERED';

export const TAMPERED_ENTRIES: Tampering[] = [
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
];
