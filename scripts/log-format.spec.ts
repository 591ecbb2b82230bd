/** What docs/reference/log-format.md says in numbers is what the code computes, so that whoever writes a verifier from it is right. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_NAMES } from '#bundle/bundle-files.js';
import { CSV_HEADER } from '#bundle/csv-row.js';
import { WHAT_IS_WRONG } from '#bundle/errors.js';
import { nodeHash } from '#bundle/merkle.js';
import { parseTrust } from '#bundle/trust.js';
import { verifyBundle } from '#bundle/verify-bundle.js';
import { canonical } from '#events/jcs.js';
import { filesOf, SmallLog, VKEY } from '../libs/bundle/spec/small-log.js';

const read = (page: string) =>
  readFileSync(join(import.meta.dirname, '..', 'docs', 'reference', page), 'utf8');
const page = read('log-format.md');
const log = new SmallLog(
  [0, 1, 2, 3, 4].map((n) => Buffer.from(canonical({ v: 1, type: 'example', event: { n } }))),
);
const parts = log.bundle({ from: 1, to: 4 });
const fence = (kind: string, text: string) => `\`\`\`${kind}\n${text}\`\`\`\n`;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

it('shows the checkpoint and its key', () => {
  expect(page).toContain(fence('text', log.note()));
  expect(page).toContain(`\`${VKEY}\``);
});

it('shows every hash of the example', () => {
  const [h0, h1, h2, h3, h4] = log.hashes as [Buffer, Buffer, Buffer, Buffer, Buffer];
  const [n01, n23] = [nodeHash(h0, h1), nodeHash(h2, h3)];
  const n03 = nodeHash(n01, n23);
  const rows: [string, Uint8Array][] = [
    ...log.hashes.map((hash, i): [string, Uint8Array] => [`leaf hash ${i}`, hash]),
    ['node of 0 and 1', n01],
    ['node of 2 and 3', n23],
    ['node of 0 to 3', n03],
    ['root of 5', nodeHash(n03, h4)],
    ['root of 3', nodeHash(n01, h2)],
  ];
  for (const [what, hash] of rows) expect(page).toContain(`| ${what} | \`${hex(hash)}\` |\n`);
  expect(log.head(5).root).toEqual(nodeHash(n03, h4));
  expect(log.head(3).root).toEqual(nodeHash(n01, h2));
});

it('shows the files of the example, which verify', () => {
  const shown = /```json\n([^]*?)```/.exec(page)?.[1] ?? '';
  expect(JSON.parse(shown)).toEqual(JSON.parse(parts.get('manifest.json')!.toString()));
  expect(page).toContain(fence('text', parts.get('entries.jsonl')!.toString()));
  const [header, ...rows] = parts.get('entries.csv')!.toString().split('\n');
  expect(header).toBe(CSV_HEADER);
  expect(page).toContain(fence('text', `${CSV_HEADER}\n`));
  expect(page).toContain(fence('text', rows.join('\n')));
  const report = verifyBundle(filesOf(parts), parseTrust(`log ${VKEY}\nquorum none\n`), log.head(3));
  expect([report.verdict, report.extendsSize]).toEqual(['good', 3n]);
});

it('names every file of a bundle', () => {
  for (const name of FILE_NAMES) expect(page).toContain(`| \`${name}\` |`);
});

it('tells what log root prints, in the how-to', () => {
  const { root } = new SmallLog([Buffer.of(0x00), Buffer.of(0x10)]).head();
  expect(read('../how-to/verify-the-log.md')).toContain(
    `mayfly log root\n2 ${Buffer.from(root).toString('base64')}\n`,
  );
});

it('explains every code of a verifier', () => {
  const errors = read('errors.md');
  for (const code of Object.keys(WHAT_IS_WRONG)) expect(errors).toContain(`\`${code}\``);
});
