/**
 * Proves that a bundle needs no word of ours: a verifier of 200 lines in Python, that shares no code with Mayfly and was written from
 * docs/reference/log-format.md, says the same of good bundles and of every tampering that we know.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { verifyBundleAt } from '#bundle/files/verify-bundle-at.js';
import type { Verdict } from '#bundle/verify-bundle.js';
import { archiveOf } from '../libs/bundle/spec/archive.js';
import { leaves, SmallLog, TRUST, TRUST_TEXT, type BundleParts } from '../libs/bundle/spec/small-log.js';
import { GOOD, LOG, withManifest } from '../libs/bundle/spec/changed-bundle.js';
import { TAMPERINGS } from '../libs/bundle/spec/tampered.js';
import { pythonEnvironment } from './interop/python-environment.js';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const script = join(root, 'examples', 'verify.py');
const environment = await pythonEnvironment(
  join(import.meta.dirname, 'interop', 'requirements.txt'),
  join(root, '.mayfly'),
);

const SAYS_GOOD = 'a second verifier in Python verifies ranges, folders and earlier checkpoints';
const SAYS_BAD = 'a second verifier in Python refuses what ours refuses, and names the same entries';
const SAYS_NEITHER = 'a second verifier in Python does not judge what ours does not judge';
const STATUS: Record<Verdict, number> = { good: 0, altered: 1, unjudged: 2 };

it('has at most 200 lines, and imports nothing but the standard library and cryptography', () => {
  const lines = readFileSync(script, 'utf8').trimEnd().split('\n');
  expect(lines.length).toBeLessThanOrEqual(200);
  const imports = lines.flatMap(
    (line) => /^(?:import|from) (.*?)(?: import .*)?$/.exec(line)?.[1]?.split(', ') ?? [],
  );
  expect(imports.map((name) => name.split('.')[0]).filter((name) => name !== 'cryptography')).toEqual([
    'argparse',
    'base64',
    'csv',
    'hashlib',
    'json',
    'os',
    'sys',
    'tarfile',
  ]);
});

if ('missing' in environment) {
  it.skip.each([SAYS_GOOD, SAYS_BAD, SAYS_NEITHER])(`%s (${environment.missing})`, () => undefined);
} else {
  const { python } = environment;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-second-'));
    writeFileSync(join(folder, 'trust'), TRUST_TEXT);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  interface Said {
    status: number;
    bad: number[];
    text: string;
  }
  async function second(bundle: string, ...more: string[]): Promise<Said> {
    const args = [script, bundle, '--policy', join(folder, 'trust'), ...more];
    const { status, text } = await run(python, args, { env: { PYTHONDONTWRITEBYTECODE: '1' } }).then(
      ({ stdout }) => ({ status: 0, text: stdout }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => {
        expect(stderr).not.toContain('Traceback');
        return { status: code, text: stdout };
      },
    );
    return {
      status,
      text,
      bad: [...text.matchAll(/^entry (\d+): altered$/gm)].map(([, seq]) => Number(seq)),
    };
  }
  const written = (name: string, parts: BundleParts): string => {
    writeFileSync(join(folder, name), archiveOf(parts));
    return join(folder, name);
  };
  const note = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it(
    SAYS_GOOD,
    async () => {
      const said = await second(written('good', GOOD), '--since', note('then', LOG.note(9)));
      expect(said.text).toBe(
        '14/14 entries included · checkpoint size 21 signed by audit.example/log+a21afb2a · consistent with size 9\n',
      );
      const long = new SmallLog(leaves(600));
      for (const [at, bundle] of [
        long.bundle(),
        long.bundle({ from: 255, to: 513, since: 100 }),
        long.bundle({ from: 599, since: 100, withTable: false }),
        long.bundle({ to: 1, size: 300, since: 100 }),
      ].entries())
        expect([
          at,
          await second(written('long', bundle), '--since', note('long-then', long.note(100))),
        ]).toEqual([
          at,
          { status: 0, bad: [], text: expect.stringContaining('consistent with size 100') as string },
        ]);

      mkdirSync(join(folder, 'unpacked'));
      for (const [name, bytes] of GOOD) writeFileSync(join(folder, 'unpacked', name), bytes);
      expect(await second(join(folder, 'unpacked'))).toMatchObject({ status: 0 });
    },
    120_000,
  );

  it(
    SAYS_BAD,
    async () => {
      for (const { what, parts } of TAMPERINGS) {
        const bundle = written('tampered', parts);
        const { verdict, findings } = await verifyBundleAt(bundle, TRUST);
        const ours = findings.flatMap(({ seq }) => seq ?? []);
        expect([what, await second(bundle)]).toEqual([
          what,
          {
            status: STATUS[verdict],
            bad: ours,
            text: expect.stringMatching(/entry|manifest|hashes|refused|checkpoint/) as string,
          },
        ]);
      }
      const archive = archiveOf(GOOD);
      for (let bytes = 0; bytes < archive.length - 1_024; bytes += 1_531) {
        writeFileSync(join(folder, 'cut'), archive.subarray(0, bytes));
        expect([bytes, (await second(join(folder, 'cut'))).status]).toEqual([bytes, 1]);
      }
      const rewritten = new SmallLog(LOG.leaves.with(1, Buffer.from('{"v":1}')));
      for (const size of [2, 9, 21])
        expect(
          await second(
            written('rewritten', rewritten.bundle({ since: size })),
            '--since',
            note('then', LOG.note(size)),
          ),
        ).toMatchObject({ status: 1, text: expect.stringContaining('rewritten') as string });
    },
    180_000,
  );

  it(SAYS_NEITHER, async () => {
    const later = withManifest(GOOD, (manifest) => Object.assign(manifest, { format: 'mayfly-bundle/2' }));
    expect(await second(written('later', later))).toMatchObject({ status: 2 });
    for (const size of [1, 22])
      expect(
        await second(written('good', GOOD), '--since', note('then', new SmallLog(leaves(22)).note(size))),
      ).toMatchObject({ status: 2 });
    expect(await second(join(folder, 'nowhere'))).toMatchObject({ status: 2 });
    expect(await second(written('good', GOOD), '--since', join(folder, 'good'))).toMatchObject({ status: 2 });
  });
}
