/**
 * Proves what an auditor is promised: from a running Mayfly to a file, and from the file to a verdict on a machine that has no network, no
 * Mayfly running, and nothing but a key and a checkpoint that was kept before.
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { archiveOf } from '../libs/bundle/spec/archive.js';
import { leaves, SmallLog, TRUST_TEXT } from '../libs/bundle/spec/small-log.js';
import { resealed, withFile } from '../libs/bundle/spec/changed-bundle.js';
import { callOrders, endTask, openClient, startTask } from './support/sample-client.js';
import { startStack } from './support/stack.mjs';
import type { TestStack } from './support/stack.mjs';

const run = promisify(execFile);
const mayfly = join(import.meta.dirname, '..', 'scripts', 'mayfly.mjs');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mayfly-bundle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

interface Ran {
  status: number;
  stdout: string;
}
async function cli(args: string[], env: NodeJS.ProcessEnv = {}, before: string[] = []): Promise<Ran> {
  const [command = '', ...rest] = [...before, process.execPath, mayfly, ...args];
  return run(command, rest, { env: { ...process.env, ...env }, timeout: 60_000 }).then(
    ({ stdout }) => ({ status: 0, stdout }),
    ({ code, stdout }: { code: number; stdout: string }) => ({ status: code, stdout }),
  );
}

describe('a running Mayfly', () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await startStack();
  }, 180_000);
  afterAll(() => stack?.stop(), 60_000);

  const oneTask = async () => {
    const client = await openClient(stack);
    try {
      const taskId = await startTask(client);
      await callOrders(client, taskId);
      await (
        await endTask(client, taskId)
      ).verdict;
    } finally {
      await client.close();
    }
  };
  const checkpoint = async (): Promise<string> =>
    (await fetch(`${stack.addresses.auditor}/log/checkpoint`)).text();
  const sizeOf = (note: string) => Number(note.split('\n')[1]);
  /** A checkpoint of more entries than that. */
  const grownBeyond = async (size: number): Promise<string> => {
    for (const untilMs = Date.now() + 60_000; Date.now() < untilMs; await sleep(200)) {
      const note = await checkpoint();
      if (sizeOf(note) > size) return note;
    }
    throw new Error('the log does not grow');
  };
  const inState = () => ({ MAYFLY_STATE_DIR: stack.stateDir });

  it('hands out its log, which is shown to extend what was kept before, and what somebody alters in it is named', async () => {
    await oneTask();
    const kept = await grownBeyond(4);
    writeFileSync(at('kept'), kept);
    await oneTask();
    await grownBeyond(sizeOf(kept));
    const vkey = readFileSync(join(stack.stateDir, 'keys', 'log-signer.vkey'), 'utf8').trim();
    writeFileSync(at('trust'), `log ${vkey}\nquorum none\n`);

    expect(await cli(['audit', 'export', '--out', at('all')], inState())).toMatchObject({ status: 0 });
    const verdict = await cli(['audit', 'verify', at('all'), '--policy', at('trust'), '--since', at('kept')]);
    expect(verdict.status).toBe(0);
    const [, included = '', size = ''] =
      /^(\d+)\/\1 entries included · checkpoint size (\d+) signed by /.exec(verdict.stdout) ?? [];
    expect(Number(included)).toBeGreaterThan(sizeOf(kept));
    expect(size).toBe(included);
    expect(verdict.stdout).toContain(` · consistent with size ${sizeOf(kept)}\n`);

    const bytes = readFileSync(at('all'));
    const place = bytes.indexOf('"type":"lease.issued"');
    bytes.write('lease.issuee', place + 8);
    writeFileSync(at('altered'), bytes);
    const refused = await cli(['audit', 'verify', at('altered'), '--policy', at('trust')]);
    expect(refused.status).toBe(1);
    expect(refused.stdout).toMatch(/^entry \d+: altered: /m);
  }, 120_000);

  it('tells that its log was read, and by which way', async () => {
    const exported = async () => {
      rmSync(at('again'), { force: true });
      const args = ['audit', 'export', '--out', at('again'), '--format', 'jsonl'];
      expect(await cli(args, inState())).toMatchObject({ status: 0 });
      return readFileSync(at('again'), 'utf8');
    };
    while (!(await exported()).includes('"route":"POST:/v1/exports"')) await sleep(200);
  }, 120_000);
});

describe('a bundle whose table is worth a second thread', () => {
  const long = new SmallLog(leaves(20_000));
  const bundle = long.bundle();
  beforeAll(() => writeFileSync(at('trust-long'), TRUST_TEXT));

  it('is verified', async () => {
    expect(bundle.get('entries.csv')!.length).toBeGreaterThan(4_000_000);
    writeFileSync(at('long'), archiveOf(bundle));
    const { status, stdout } = await cli(['audit', 'verify', at('long'), '--policy', at('trust-long')]);
    expect([status, stdout]).toEqual([
      0,
      '20000/20000 entries included · checkpoint size 20000 signed by audit.example/log+a21afb2a\n',
    ]);
  });

  it('is refused for one cell of it', async () => {
    const lines = bundle.get('entries.csv')!.toString().split('\n');
    lines[15_001] = lines[15_001]!.replace('sql.query', 'mail.send');
    writeFileSync(
      at('long'),
      archiveOf(resealed(withFile(bundle, 'entries.csv', Buffer.from(lines.join('\n'))))),
    );
    const { status, stdout } = await cli(['audit', 'verify', at('long'), '--policy', at('trust-long')]);
    expect(status).toBe(1);
    expect(stdout).toContain('entry 15000: its row does not say what its leaf says');
  });
});

const OFFLINE = 'a bundle is verified where there is no network at all';
const withoutNetwork = ['unshare', '--user', '--map-root-user', '--net'];
const canUnshare = (() => {
  try {
    execFileSync(withoutNetwork[0]!, [...withoutNetwork.slice(1), 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (canUnshare)
  it(OFFLINE, async () => {
    writeFileSync(at('small'), archiveOf(new SmallLog(leaves(30)).bundle()));
    writeFileSync(at('trust-small'), TRUST_TEXT);
    const args = ['audit', 'verify', at('small'), '--policy', at('trust-small')];
    expect(await cli(args, {}, withoutNetwork)).toMatchObject({ status: 0 });
  });
else it.skip(`${OFFLINE} (no unshare)`, () => undefined);
