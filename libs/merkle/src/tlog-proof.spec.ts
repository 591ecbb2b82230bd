import { anyRefusal, refusal } from '../spec/refusal.js';
import { nodeReader, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { signCheckpoint } from './checkpoint.js';
import { hashLeaf } from './hash.js';
import { parseSigner, parseVerifier } from './note-key.js';
import { proveInclusion } from './proof.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.js';

/** Entry 5 of the published tree of 8, signed with the key of RFC 8037 appendix A.1 under the name `audit.example/log`. */
const SEED = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
const SKEY = `PRIVATE+KEY+audit.example/log+a21afb2a+${Buffer.concat([Buffer.of(1), SEED]).toString('base64')}`;
const VKEY = 'audit.example/log+a21afb2a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';
const SAMPLE = `c2sp.org/tlog-proof@v1
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

audit.example/log
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— audit.example/log ohr7KmGlXaemhF+nvpNmGsZQ+pHaRiS9itxhplMk8zxzBsBqXpEtNoa7yVGovySc66qoWXfaZG6GEcQ0lTU4PZ2EXAw=
`;
const log = { origin: 'audit.example/log', verifiers: [parseVerifier(VKEY)] };
const entry = (index: number): Buffer => PUBLISHED_INPUTS[index] as Buffer;

const leaves = PUBLISHED_INPUTS.map(hashLeaf);
const checkpoint = signCheckpoint(
  { origin: log.origin, size: 8n, root: rootOf(append(EMPTY_RANGE, leaves)) },
  [parseSigner(SKEY)],
);
const proofOf = (index: bigint): string =>
  formatTlogProof({ index, proof: proveInclusion(index, 8n, nodeReader(leaves)), checkpoint });

it('writes the sample byte for byte', () => {
  expect(parseSigner(SKEY).vkey).toBe(VKEY);
  expect(proofOf(5n)).toBe(SAMPLE);
});

it('proves every entry, and no other entry in its place', () => {
  for (let index = 0; index < 8; index += 1) {
    const text = proofOf(BigInt(index));
    expect(verifyTlogProof(text, entry(index), log)).toMatchObject({
      index: BigInt(index),
      checkpoint: { size: 8n },
    });
    expect(() => verifyTlogProof(text, entry((index + 1) % 8), log)).toThrow(refusal('ERR_ROOT_MISMATCH'));
  }
});

it('carries extra data that changes nothing', () => {
  const parsed = { ...parseTlogProof(SAMPLE), extra: Buffer.from('who asked') };
  const text = formatTlogProof(parsed);
  expect(text.split('\n')[1]).toBe('extra d2hvIGFza2Vk');
  expect(parseTlogProof(text).extra).toEqual(Buffer.from('who asked'));
  expect(verifyTlogProof(text, entry(5), log).index).toBe(5n);
});

it('refuses every single flipped bit', () => {
  const bytes = Buffer.from(SAMPLE);
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const copy = Buffer.from(bytes);
    copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => verifyTlogProof(copy.toString(), entry(5), log)).toThrow(anyRefusal);
  }
});

it('refuses what is malformed', () => {
  const lines = SAMPLE.split('\n');
  for (const text of [
    '',
    SAMPLE.replace('@v1', '@v2'),
    SAMPLE.replace('index 5', 'index 05'),
    SAMPLE.replace('index 5', 'index -5'),
    SAMPLE.replace('index 5\n', ''),
    SAMPLE.replace('index 5', 'extra !\nindex 5'),
    SAMPLE.replace('\n\naudit', '\naudit').replace('\n\n—', '\n—'),
    SAMPLE.replace('vBoGQ7', 'vBoG'),
    lines.toSpliced(2, 0, ...Array<string>(64).fill(lines[2] as string)).join('\n'),
  ])
    expect(() => parseTlogProof(text)).toThrow(refusal('ERR_PROOF_MALFORMED'));
});

it('refuses an index outside the tree', () => {
  expect(() => verifyTlogProof(SAMPLE.replace('index 5', 'index 8'), entry(5), log)).toThrow(
    refusal('ERR_PROOF_INDEX'),
  );
});
