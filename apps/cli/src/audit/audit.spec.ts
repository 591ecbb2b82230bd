import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { entryLine, headLine } from '#bundle/export-lines.js';
import { checkpointText } from '#merkle/checkpoint.js';
import { generateWitnessKey, parseCosigner } from '#merkle/node/keys.js';
import { archiveOf } from '../../../../libs/bundle/spec/archive.js';
import { GOOD, LOG, manifestOf, withManifest } from '../../../../libs/bundle/spec/changed-bundle.js';
import { SmallLog, TRUST_TEXT } from '../../../../libs/bundle/spec/small-log.js';
import { TAMPERINGS } from '../../../../libs/bundle/spec/tampered.js';
import { failureOf } from '../failure.js';
import { program } from '../program.js';

let folder: string;
let stdout: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-audit-'));
  await writeFile(at('trust'), TRUST_TEXT);
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
/** @returns the exit status */
async function run(...args: string[]): Promise<number> {
  stdout = '';
  try {
    await program(
      {},
      { stdout: { write: (text) => (stdout += text) }, stderr: { write: () => undefined } },
    ).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return failure.exitStatus;
  }
}
const verify = async (parts: typeof GOOD, ...more: string[]) => {
  await writeFile(at('a.bundle'), archiveOf(parts));
  return await run('audit', 'verify', at('a.bundle'), '--policy', at('trust'), ...more);
};

describe('mayfly audit verify', () => {
  it('says in one line what was verified', async () => {
    await writeFile(at('then'), LOG.note(9));
    expect(await verify(GOOD, '--since', at('then'))).toBe(0);
    expect(stdout).toBe(
      '14/14 entries included · checkpoint size 21 signed by audit.example/log+a21afb2a · consistent with size 9\n',
    );
  });

  it('names what is bad, with exit status 1', async () => {
    expect(await verify(TAMPERINGS[0]!.parts)).toBe(1);
    expect(stdout).toBe(
      '13/14 entries included · checkpoint size 21 signed by audit.example/log+a21afb2a\n' +
        'entry 6: altered: its bytes do not have the hash that stands in the tree (ERR_BUNDLE_ENTRY_ALTERED)\n',
    );
  });

  it.each(TAMPERINGS)(
    'refuses a bundle of which $what, and says so as a document',
    async ({ parts, code, place }) => {
      expect(await verify(parts, '--json')).toBe(1);
      const said = JSON.parse(stdout) as { ok: boolean; findings: object[] };
      expect(said.ok).toBe(false);
      expect(said.findings[0]).toMatchObject({ code, place, what: expect.any(String) as string });
    },
  );

  it('wants as many witnesses as the trust file says', async () => {
    const witness = generateWitnessKey('witness.example/w1');
    const logs = TRUST_TEXT.split('\n').filter((line) => line.startsWith('log '));
    const wanted = [...logs, `witness north ${witness.vkey}`, 'quorum north', ''];
    await writeFile(at('trust'), wanted.join('\n'));

    expect(await verify(LOG.bundle())).toBe(1);
    expect(stdout).toContain(
      'not a checkpoint that enough witnesses of the trust file cosigned (ERR_TRUST_QUORUM)',
    );
    const cosigner = parseCosigner(witness.skey);
    class CosignedLog extends SmallLog {
      override note(size?: number): string {
        return super.note(size) + cosigner.cosign(checkpointText(this.head(size)), 1_785_500_000n);
      }
    }
    expect(await verify(new CosignedLog(LOG.leaves).bundle())).toBe(0);
    expect(stdout).toMatch(/ signed by audit\.example\/log\+a21afb2a · cosigned by north\n$/);
  });

  it('refuses what is no bundle at all', async () => {
    await writeFile(at('a.bundle'), 'hello');
    expect(await run('audit', 'verify', at('a.bundle'), '--policy', at('trust'))).toBe(1);
    expect(stdout).toContain('no checkpoint that a trusted key signed');
  });

  it('says with exit status 2 that it cannot judge', async () => {
    expect(await verify(withManifest(GOOD, (m) => Object.assign(m, { format: 'mayfly-bundle/2' })))).toBe(2);
    await writeFile(at('then'), LOG.note(1));
    expect(await verify(GOOD, '--since', at('then'))).toBe(2);
    expect(stdout).toContain('ERR_BUNDLE_SINCE_UNPROVEN');
  });

  it.each([
    ['there is no bundle', ['audit', 'verify', 'nowhere', '--policy', 'trust']],
    ['there is no trust file', ['audit', 'verify', 'trust', '--policy', 'nowhere']],
    ['the trust file is none', ['audit', 'verify', 'trust', '--policy', 'garbage']],
    [
      'the earlier checkpoint is none',
      ['audit', 'verify', 'trust', '--policy', 'trust', '--since', 'garbage'],
    ],
    [
      'the earlier checkpoint is of a stranger',
      ['audit', 'verify', 'trust', '--policy', 'trust', '--since', 'foreign'],
    ],
  ])('cannot be asked where %s', async (_what, args) => {
    await writeFile(at('garbage'), 'garbage');
    await writeFile(at('foreign'), LOG.note(9).replaceAll('audit.example', 'other.example'));
    const named = args.map((arg) =>
      ['audit', 'verify'].includes(arg) || arg.startsWith('--') ? arg : at(arg),
    );
    expect(await run(...named)).toBe(2);
    expect(stdout).toBe('');
  });
});

describe('mayfly audit export', () => {
  let server: Server;
  let asked: string;
  afterEach(() => server?.close());

  const lines = [
    headLine({ checkpoint: LOG.note(), from: 3, to: 17, proof: manifestOf(GOOD).proof }),
    ...LOG.leaves.slice(3, 17).map((leaf, i) => entryLine(leaf, LOG.hashes[3 + i]!)),
  ];
  async function exportFrom(answer: RequestListener, ...more: string[]): Promise<number> {
    server = createServer((request, response) => {
      asked = `${request.method} ${request.url} ${request.headers.authorization} `;
      request.on('data', (chunk: Buffer) => (asked += chunk.toString()));
      request.on('end', () => void answer(request, response));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await writeFile(at('token'), 'a.b.c\n');
    return await run(
      'audit',
      'export',
      '--out',
      at('out'),
      '--auditor',
      url,
      '--token',
      at('token'),
      ...more,
    );
  }
  const left = async () => (await readdir(folder)).filter((name) => name.startsWith('out'));
  const whole: RequestListener = (_request, response) => void response.end(Buffer.concat(lines));

  it('keeps what the auditor hands out as a bundle that verifies', async () => {
    await writeFile(at('then'), LOG.note(9));
    expect(await exportFrom(whole, '--from', '3', '--to', '17', '--since', at('then'))).toBe(0);
    expect(asked).toBe('POST /v1/exports Bearer a.b.c {"from":3,"to":17,"since":9}');
    expect(stdout).toContain('entries 3 to 16 of audit.example/log, as of checkpoint size 21: ');
    expect(await run('audit', 'verify', at('out'), '--policy', at('trust'))).toBe(0);
    expect(await left()).toEqual(['out']);
  });

  it('asks for a head that witnesses have seen', async () => {
    expect(await exportFrom(whole, '--cosigned', '2')).toBe(0);
    expect(asked).toContain('{"from":0,"cosigned":2}');
  });

  it.each([
    ['jsonl', 'entries.jsonl'],
    ['csv', 'entries.csv'],
  ] as const)('keeps the entries alone, as %s', async (format, part) => {
    expect(await exportFrom(whole, '--format', format)).toBe(0);
    expect(await readFile(at('out'))).toEqual(GOOD.get(part));
    expect(await left()).toEqual(['out']);
  });

  it('leaves the table out where it is told to', async () => {
    expect(await exportFrom(whole, '--no-csv', '--json')).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      format: 'bundle',
      from: 3,
      to: 17,
      checkpoint: { size: '21' },
    });
    expect((await readFile(at('out'))).includes('entries.csv')).toBe(false);
  });

  it('writes over nothing', async () => {
    await writeFile(at('out'), 'evidence');
    expect(await exportFrom(whole)).toBe(2);
    expect(await readFile(at('out'), 'utf8')).toBe('evidence');
  });

  it('cannot be asked where there is no such folder', async () => {
    expect(await exportFrom(whole, '--out', join(folder, 'nowhere', 'out'))).toBe(2);
  });

  it.each<[string, RequestListener, number]>([
    ['lacks an entry', (_request, response) => void response.end(Buffer.concat(lines.slice(0, 9))), 1],
    ['answers something else', (_request, response) => void response.end('<html>\n'), 1],
    ['answers nothing', (_request, response) => void response.end(), 1],
    [
      'answers with an entry that is none',
      (_request, response) => void response.end(`${lines[0]!.toString()}[]\n`),
      1,
    ],
    [
      'answers with a line without end',
      (_request, response) => void response.end(Buffer.alloc(3_000_000, 'x')),
      1,
    ],
    [
      'refuses',
      (_request, response) => void response.writeHead(403).end('{"code":"ERR_FORBIDDEN","detail":"no"}'),
      1,
    ],
    [
      'breaks off',
      (_request, response) => {
        response.write(Buffer.concat(lines.slice(0, 9)), () => response.destroy());
      },
      1,
    ],
  ])('keeps nothing where the auditor %s', async (_what, answer, status) => {
    expect(await exportFrom(answer)).toBe(status);
    expect(await left()).toEqual([]);
  });
});
