import { GOOD, LOG, manifestOf } from '../spec/changed-bundle.js';
import { entryLine, headLine, readEntryLine, readHeadLine } from './export-lines.js';

const head = { checkpoint: LOG.note(), from: 3, to: 17, proof: manifestOf(GOOD).proof };
const trimmed = (line: Buffer) => line.subarray(0, -1);

it('reads what it wrote', () => {
  expect(readHeadLine(trimmed(headLine(head)))).toEqual(head);
  const [leaf, leafHash] = [LOG.leaves[3]!, LOG.hashes[3]!];
  expect(readEntryLine(trimmed(entryLine(leaf, leafHash)))).toEqual({
    leaf,
    leafHash: Buffer.from(leafHash),
  });
});

it('writes lines of JSON', () => {
  const line = entryLine(LOG.leaves[3]!, LOG.hashes[3]!);
  expect(line.indexOf(0x0a)).toBe(line.length - 1);
  expect(JSON.parse(line.toString())).toEqual([expect.any(String), JSON.parse(LOG.leaves[3]!.toString())]);
});

it.each([
  '',
  '{}',
  '[]',
  '{"checkpoint":1}',
  JSON.stringify({ ...head, from: -1 }),
  '{"code":"ERR_FORBIDDEN"}',
])('takes nothing else for a head: %.30s', (text) => {
  expect(readHeadLine(Buffer.from(text))).toBeUndefined();
});

it.each([
  '',
  '{}',
  '["',
  `["${'A'.repeat(44)}",{}]`,
  `["${'A'.repeat(43)}=",{}`,
  `x"${'A'.repeat(43)}=",{}]`,
])('takes nothing else for an entry: %.30s', (text) => {
  expect(readEntryLine(Buffer.from(text))).toBeUndefined();
});
