/** The published vectors (transparency-dev/merkle, golang/mod, C2SP) through the command line. */
import { PUBLISHED_INPUTS } from '../../../../libs/merkle/spec/leaves.js';
import { SAMPLE_PROOF } from '../../../../libs/merkle/spec/sample-proof.js';
import { program } from '../program.js';

const b64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const L1 = b64('96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7');
const N23 = b64('5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e');
const N47 = b64('6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4');
const L0 = b64('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
const ROOT8 = b64('5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328');

let stdout: string;
const run = (input: string, ...args: string[]) => {
  stdout = '';
  const stdin = (async function* () {
    // In pieces that no line knows of.
    for (let at = 0; at < input.length; at += 7)
      yield await Promise.resolve(Buffer.from(input.slice(at, at + 7)));
  })();
  const streams = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: () => undefined },
    stdin,
  };
  return program({}, streams).parseAsync(args, { from: 'user' });
};

describe('mayfly log root', () => {
  it.each([
    [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [7, 'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c'],
    [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
  ])('prints size and root of the first %i published leaves', async (count, root) => {
    await run(
      PUBLISHED_INPUTS.slice(0, count)
        .map((leaf) => `${leaf.toString('base64')}\n`)
        .join(''),
      'log',
      'root',
    );
    expect(stdout).toBe(`${count} ${b64(root)}\n`);
  });

  it('counts a last line without an end', async () => {
    await run('AA==\nEA==', 'log', 'root', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ size: '2' });
  });

  it('says which line is no base64', async () => {
    await expect(run('AA==\nAA=\n', 'log', 'root')).rejects.toMatchObject({
      code: 'ERR_CLI_USAGE',
      message: 'line 2 is no base64',
    });
  });
});

const inclusion = {
  kind: 'inclusion',
  index: '0',
  size: '8',
  leafHash: L0,
  root: ROOT8,
  proof: [L1, N23, N47],
};
const consistency = {
  kind: 'consistency',
  size1: '1',
  size2: '8',
  root1: L0,
  root2: ROOT8,
  proof: [L1, N23, N47],
};
const NOTE =
  'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n';
const VKEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k';
const note = { kind: 'note', note: NOTE, vkeys: [VKEY] };
const policy = 'log audit.example/log+a21afb2a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea\nquorum none\n';
const tlogProof = {
  kind: 'tlog-proof',
  text: SAMPLE_PROOF,
  entry: PUBLISHED_INPUTS[5]!.toString('base64'),
  policy,
};

describe('mayfly log check', () => {
  it('says ok to each claim that holds', async () => {
    const claims = [inclusion, consistency, note, tlogProof];
    await run(claims.map((claim) => `${JSON.stringify(claim)}\n`).join('\n'), 'log', 'check');
    expect(stdout).toBe('ok\nok\nok\nok\n');
  });

  it.each([
    ['a proof that is not the entry’s', { ...inclusion, index: '1' }, 'ERR_ROOT_MISMATCH'],
    ['an index beyond the tree', { ...inclusion, index: '8' }, 'ERR_PROOF_INDEX'],
    ['a hash too many', { ...inclusion, proof: [L1, N23, N47, L1] }, 'ERR_PROOF_LENGTH'],
    [
      'a root of 12 bytes',
      {
        ...consistency,
        size1: '1',
        size2: '1',
        root1: b64('00'.repeat(12)),
        root2: b64('00'.repeat(12)),
        proof: [],
      },
      'ERR_PROOF_LENGTH',
    ],
    ['a log that grew from nothing', { ...consistency, size1: '0' }, 'ERR_PROOF_INDEX'],
    ['a log that shrank', { ...consistency, size1: '9' }, 'ERR_PROOF_INDEX'],
    ['a note with another text', { ...note, note: NOTE.replace('an', 'no') }, 'ERR_NOTE_SIGNATURE_INVALID'],
    ['a note that nobody known signed', { ...note, vkeys: [] }, 'ERR_NOTE_UNTRUSTED'],
    ['a key that is none', { ...note, vkeys: ['x'] }, 'ERR_NOTE_KEY_INVALID'],
    ['a proof of another entry', { ...tlogProof, entry: 'AA==' }, 'ERR_ROOT_MISMATCH'],
    ['a proof that is none', { ...tlogProof, text: 'x' }, 'ERR_PROOF_MALFORMED'],
    ['a policy that is none', { ...tlogProof, policy: 'x' }, 'ERR_TRUST_MALFORMED'],
    [
      'a proof of a log that the policy does not name',
      { ...tlogProof, policy: `log ${VKEY}\nquorum none\n` },
      'ERR_NOTE_UNTRUSTED',
    ],
    ['a number that is no text', { ...inclusion, index: 0 }, 'ERR_CLAIM_MALFORMED'],
    ['a negative number', { ...inclusion, index: '-1' }, 'ERR_CLAIM_MALFORMED'],
    ['hashes that are no base64', { ...inclusion, proof: ['?'] }, 'ERR_CLAIM_MALFORMED'],
    ['another kind', { kind: 'chain' }, 'ERR_CLAIM_MALFORMED'],
    ['a list', [], 'ERR_CLAIM_MALFORMED'],
  ])('refuses %s', async (_what, claim, code) => {
    await expect(
      run(`${JSON.stringify(claim)}\n${JSON.stringify(inclusion)}\n`, 'log', 'check'),
    ).rejects.toMatchObject({
      code: 'ERR_CLI_NOT_PROVEN',
      message: '1 of 2 do not hold',
    });
    expect(stdout).toBe(`refused ${code}\nok\n`);
  });

  it('refuses what is no JSON, and says so as JSON where that is asked for', async () => {
    await expect(run('{"kind":\n', 'log', 'check', '--json')).rejects.toMatchObject({
      code: 'ERR_CLI_NOT_PROVEN',
    });
    expect(stdout).toBe('{"ok":false,"code":"ERR_CLAIM_MALFORMED"}\n');
  });

  it('has nothing to say to nothing', async () => {
    await run('', 'log', 'check');
    expect(stdout).toBe('');
  });
});
