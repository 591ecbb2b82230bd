/** What the how-to on witnesses tells to write is taken, and what the reference says of cosignatures and codes is what the code has. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { loadConfig } from '#config/load.js';
import { checkpointText } from '#merkle/checkpoint.js';
import { parseTrustPolicy, parseWitness } from '#merkle/node/keys.js';
import { openNote } from '#merkle/note.js';
import { openCheckpointUnder } from '#merkle/trust-verdict.js';
import { CONTRADICTS } from '../apps/auditor/src/anchor/anchor.js';
import { pathOf } from '../apps/auditor/src/anchor/checkpoint-files.js';
import { SmallLog, leaves } from '../libs/bundle/spec/small-log.js';
import { AT_S, cosigners, witnessKeys } from '../libs/merkle/spec/sample-log.js';

const read = (path: string) => readFileSync(join(import.meta.dirname, '..', path), 'utf8');
const page = read('docs/how-to/let-others-witness-the-log.md');
const shown = (mark: string, kind: string): string =>
  new RegExp(`<!-- ${mark} -->\\n\`\`\`${kind}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
const [w1] = witnessKeys;

type Tree = { services: { auditor: { log: { anchors: object } } } };
const env = {
  MAYFLY_ENV: 'development',
  KAFKA_BROKERS: 'kafka:9092',
  MAYFLY_AUDITOR_DATABASE_URL: 'postgres://auditor@127.0.0.1/mayfly',
  MAYFLY_AUDITOR_OWNER_DATABASE_URL: 'postgres://owner@127.0.0.1/mayfly',
};

it.each([
  ['files', { files: '/var/lib/mayfly/checkpoints', witnesses: [] }],
  ['witnesses', { witnesses: [{ name: 'north', url: 'https://witness.example/mayfly', vkey: w1!.vkey }] }],
])('the configuration that the how-to shows is one: %s', (kind, wanted) => {
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-how-to-'));
  const sample = parse(read('deploy/sample/mayfly.yaml')) as Tree;
  const { anchors } = (parse(shown(`anchors: ${kind}`, 'yaml')) as Tree).services.auditor.log;
  sample.services.auditor.log.anchors = anchors;
  writeFileSync(join(folder, 'mayfly.yaml'), stringify(sample));
  const { log } = loadConfig(join(folder, 'mayfly.yaml'), env, 'auditor').services.auditor;
  expect(log.anchors).toEqual({ everyMs: 10_000, ...wanted });
  rmSync(folder, { recursive: true });
});

it('the trust file that the how-to shows believes a head that the witness has seen, and no other', () => {
  const trust = parseTrustPolicy(shown('trust', 'text'));
  const log = new SmallLog(leaves(3));
  const cosignature = cosigners[0]!.cosign(checkpointText(log.head()), AT_S);
  expect(openCheckpointUnder(trust, log.note() + cosignature).cosigned).toHaveLength(1);
  expect(() => openCheckpointUnder(trust, log.note())).toThrow('too few witnesses');
});

it('a checkpoint lies where the how-to says', () => {
  const { folder, file } = pathOf(1_234_567n);
  expect(page).toContain(`\`${folder}/${file}\``);
});

it('the format shows a cosignature of its checkpoint, and the key', () => {
  const format = read('docs/reference/log-format.md');
  const [, note = ''] = /```text\n(audit\.example\/log\n5\n[^]*?)```/.exec(format) ?? [];
  const [, line = ''] = /```text\n(— witness[^\n]*\n)```/.exec(format) ?? [];
  const { verified } = openNote(note + line, [parseWitness(w1!.vkey)]);
  expect(verified.map(({ key }) => key.name)).toEqual(['witness.example/w1']);
  expect(line).toBe(cosigners[0]!.cosign(note.slice(0, note.indexOf('\n\n') + 1), AT_S));
  expect(format).toContain(`\`${w1!.vkey}\``);
});

it('explains every code of an anchor, and none that does not exist', () => {
  const [, section = ''] = read('docs/reference/errors.md').split('## An anchor that lacks a head');
  const explained = [...section.split('\n## ')[0]!.matchAll(/^\| `(ERR_[A-Z_]+)` \|/gm)].map(
    ([, code]) => code,
  );
  expect(explained.toSorted()).toEqual(Object.keys(CONTRADICTS).sort());
});
