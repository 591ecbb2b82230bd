/** The drills, offline: what each trust file takes of bundles signed by the old key, by both, and by the new one. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signCheckpoint } from '#merkle/checkpoint.js';
import { generateWitnessKey, parseSigner } from '#merkle/node/keys.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { archiveOf } from '../../../../libs/bundle/spec/archive.js';
import {
  leaves,
  ORIGIN,
  SIGNER,
  SmallLog,
  TRUST_TEXT,
  VKEY,
} from '../../../../libs/bundle/spec/small-log.js';
import { failureOf } from '../failure.js';
import { program } from '../program.js';

let folder: string;
let stdout: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-log-key-'));
  await writeFile(at('trust'), TRUST_TEXT);
});
afterEach(() => rm(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
const text = (name: string) => readFile(at(name), 'utf8');
/** @returns the exit status, and the code of what went wrong */
async function run(...args: string[]): Promise<{ status: number; code?: string }> {
  stdout = '';
  const streams = {
    stdout: { write: (said: string) => (stdout += said) },
    stderr: { write: () => undefined },
  };
  try {
    await program({}, streams).parseAsync(args, { from: 'user' });
    return { status: 0 };
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) throw error;
    return { status: failure.exitStatus, code: failure.code };
  }
}

/** Some log, signed by these keys. */
class SignedLog extends SmallLog {
  constructor(readonly signers: readonly NoteSigner[]) {
    super(leaves(9), signers[0]);
  }
  override note(size?: number): string {
    return signCheckpoint(this.head(size), this.signers);
  }
}
const keyIn = async (name: string) => parseSigner((await text(name)).trim());
/** @returns the exit status of `mayfly audit verify` under each trust file */
async function verdicts(signers: readonly NoteSigner[], ...policies: string[]): Promise<number[]> {
  await writeFile(at('bundle'), archiveOf(new SignedLog(signers).bundle()));
  const found = [];
  for (const policy of policies)
    found.push((await run('audit', 'verify', at('bundle'), '--policy', at(policy))).status);
  return found;
}
const rotate = () =>
  run(
    'log',
    'key',
    'rotate',
    ...['--policy', at('trust')],
    ...['--key-out', at('new.key'), '--policy-out', at('both')],
  );
const retire = (vkey: string, checkpoint: string) =>
  run(
    ...['log', 'key', 'retire', vkey, '--policy', at('both')],
    ...['--checkpoint', at(checkpoint), '--policy-out', at('after')],
  );
const compromised = (origin: string, checkpoint = 'good') =>
  run(
    ...['log', 'key', 'compromised', '--policy', at('trust'), '--checkpoint', at(checkpoint)],
    ...['--origin', origin, '--key-out', at('other.key'), '--policy-out', at('other')],
  );

describe('mayfly log key rotate, then retire', () => {
  it('changes the key: while both sign, each will do; afterwards the old one does not', async () => {
    expect(await rotate()).toEqual({ status: 0 });
    const next = await keyIn('new.key');
    expect(stdout).toBe(`${next.vkey}\n`);
    expect(await text('both')).toBe(TRUST_TEXT.replace('quorum', `log ${next.vkey}\nquorum`));
    expect((await stat(at('new.key'))).mode & 0o777).toBe(0o600);
    await writeFile(at('onlyNew'), `log ${next.vkey}\nquorum none\n`);

    expect(await verdicts([SIGNER], 'trust', 'both', 'onlyNew')).toEqual([0, 0, 1]);
    expect(await verdicts([SIGNER, next], 'trust', 'both', 'onlyNew')).toEqual([0, 0, 0]);

    await writeFile(at('checkpoint'), new SignedLog([SIGNER, next]).note());
    expect(await retire(VKEY, 'checkpoint')).toEqual({ status: 0 });
    expect(stdout).toMatch(/^size 9 of audit\.example\/log is signed by audit\.example\/log\+[0-9a-f]{8}\n$/);
    expect(await text('after')).toBe(`# the log of the specs\nlog ${next.vkey}\nquorum none\n`);
    expect(await verdicts([next], 'trust', 'both', 'after')).toEqual([1, 0, 0]);
    // Whoever has the old key still signs with it.
    expect(await verdicts([SIGNER], 'after')).toEqual([1]);
  });

  it('retires no key while it alone signs', async () => {
    await rotate();
    await writeFile(at('checkpoint'), new SignedLog([SIGNER]).note());

    expect(await retire(VKEY, 'checkpoint')).toEqual({ status: 1, code: 'ERR_CLI_NOT_PROVEN' });
    expect(await readdir(folder)).not.toContain('after');
  });

  it('takes a key by its name and id too', async () => {
    await rotate();
    await writeFile(at('checkpoint'), new SignedLog([SIGNER, await keyIn('new.key')]).note());

    expect(await retire(`${ORIGIN}+a21afb2a`, 'checkpoint')).toEqual({ status: 0 });
    expect(await text('after')).not.toContain(VKEY);
  });

  it.each(['audit.example/log+00000000', ORIGIN.slice(0, 5)])(
    'retires no key that is not there: %s',
    async (vkey) => {
      await rotate();
      await writeFile(at('checkpoint'), new SignedLog([SIGNER]).note());
      expect(await retire(vkey, 'checkpoint')).toEqual({ status: 2, code: 'ERR_CLI_USAGE' });
    },
  );

  it('retires no key that is the only one', async () => {
    await writeFile(at('both'), TRUST_TEXT);
    await writeFile(at('checkpoint'), new SignedLog([SIGNER]).note());
    expect(await retire(VKEY, 'checkpoint')).toEqual({ status: 2, code: 'ERR_CLI_USAGE' });
  });

  it('writes over nothing', async () => {
    await rotate();
    const first = await text('new.key');
    expect(await rotate()).toEqual({ status: 2, code: 'ERR_CLI_FILE' });
    expect(await text('new.key')).toBe(first);
  });

  it.each([
    ['a trust file that is none', 'hello'],
    ['a trust file without a log', 'quorum none\n'],
  ])('does nothing with %s', async (_what, trust) => {
    await writeFile(at('trust'), trust);
    expect(await rotate()).toEqual({ status: 2, code: 'ERR_CLI_FILE' });
    expect(await readdir(folder)).toEqual(['trust']);
  });

  it('asks which log where there are several', async () => {
    await run('log', 'key', 'new', '--origin', 'b.example/log', '--key-out', at('b.key'));
    await writeFile(at('trust'), `log ${(await keyIn('b.key')).vkey}\n${TRUST_TEXT}`);
    expect(await rotate()).toEqual({ status: 2, code: 'ERR_CLI_USAGE' });
  });
});

describe('mayfly log key compromised', () => {
  it('begins another log, whose trust file takes the old one no more', async () => {
    await writeFile(at('good'), new SignedLog([SIGNER]).note(7));
    const witness = generateWitnessKey('witness.example/w');
    await writeFile(
      at('trust'),
      `${TRUST_TEXT.replace('quorum none\n', '')}witness w ${witness.vkey}\nquorum none\n`,
    );

    expect(await compromised('audit.example/log2')).toEqual({ status: 0 });
    const next = await keyIn('other.key');
    expect(stdout).toBe(`${next.vkey}\nin place of audit.example/log, which was good up to size 7\n`);
    expect(await text('other')).toBe(
      `# the log of the specs\nlog ${next.vkey}\nwitness w ${witness.vkey}\nquorum none\n`,
    );
    expect(await verdicts([next], 'other', 'trust')).toEqual([0, 1]);
    // The thief goes on with the old log.
    expect(await verdicts([SIGNER], 'other')).toEqual([1]);
  });

  it('refuses a last good checkpoint that is not good', async () => {
    await rotate();
    await writeFile(at('good'), new SignedLog([await keyIn('new.key')]).note());

    expect(await compromised('audit.example/log2')).toEqual({ status: 1, code: 'ERR_CLI_NOT_PROVEN' });
    expect(await readdir(folder)).not.toContain('other.key');
  });

  it('refuses the same origin, and one that no log may have', async () => {
    await writeFile(at('good'), new SignedLog([SIGNER]).note());
    expect(await compromised(ORIGIN)).toEqual({ status: 2, code: 'ERR_CLI_USAGE' });
    expect(await compromised('a b')).toEqual({ status: 2, code: 'ERR_CLI_USAGE' });
  });

  it('needs the checkpoint', async () => {
    expect(await compromised('audit.example/log2', 'nowhere')).toEqual({ status: 2, code: 'ERR_CLI_FILE' });
  });
});

describe('mayfly log key new', () => {
  it('makes the key of a log that begins, and prints its public half', async () => {
    expect(await run('log', 'key', 'new', '--origin', ORIGIN, '--key-out', at('a.key'), '--json')).toEqual({
      status: 0,
    });
    const { vkey } = await keyIn('a.key');
    expect(JSON.parse(stdout)).toEqual({ origin: ORIGIN, vkey, key: at('a.key') });
  });
});
