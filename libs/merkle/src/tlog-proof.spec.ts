import fc from 'fast-check';
import { hasher } from '../node/hasher.js';
import { parseTrustPolicy, parseVerifier } from '../node/keys.js';
import { nodeReader, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { flipsOf } from '../spec/mangled.js';
import { anyRefusal, isRefused, refusal } from '../spec/refusal.js';
import {
  AT_S,
  cosigned,
  leafHashes,
  logKey,
  logSigner,
  noteAt,
  ORIGIN,
  witnessKeys,
} from '../spec/sample-log.js';
import { SAMPLE_PROOF } from '../spec/sample-proof.js';
import { fromBase64, toBase64 } from './base64.js';
import { signCheckpoint } from './checkpoint.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import type { Hash } from './hash.js';
import { proveInclusion } from './proof.js';
import { formatTlogProof, parseTlogProof, verifyTlogProof, verifyTlogProofUnder } from './tlog-proof.js';

const log = { origin: ORIGIN, verifiers: [parseVerifier(logKey.vkey)] };
const entry = (index: number): Buffer => PUBLISHED_INPUTS[index] as Buffer;
const read = nodeReader(leafHashes);
const proofOf = (index: bigint, checkpoint = noteAt(8)): string =>
  formatTlogProof({ index, proof: proveInclusion(hasher, index, 8n, read), checkpoint });

it('writes the sample byte for byte', () => {
  expect(proofOf(5n)).toBe(SAMPLE_PROOF);
});

it('proves every entry, and no other entry in its place', () => {
  for (let index = 0; index < 8; index += 1) {
    const text = proofOf(BigInt(index));
    expect(verifyTlogProof(hasher, text, entry(index), log)).toMatchObject({
      index: BigInt(index),
      checkpoint: { size: 8n },
    });
    expect(() => verifyTlogProof(hasher, text, entry((index + 1) % 8), log)).toThrow(
      refusal('ERR_ROOT_MISMATCH'),
    );
  }
});

it('carries extra data that changes nothing', () => {
  const parsed = { ...parseTlogProof(SAMPLE_PROOF), extra: Uint8Array.from(Buffer.from('who asked')) };
  const text = formatTlogProof(parsed);
  expect(text.split('\n')[1]).toBe('extra d2hvIGFza2Vk');
  expect(parseTlogProof(text).extra).toEqual(parsed.extra);
  expect(verifyTlogProof(hasher, text, entry(5), log).index).toBe(5n);
});

it('refuses every single flipped bit', () => {
  const opened = flipsOf(SAMPLE_PROOF).filter(
    (text) => !isRefused(() => verifyTlogProof(hasher, text, entry(5), log)),
  );
  expect(opened).toEqual([]);
});

it('refuses what is malformed', () => {
  const lines = SAMPLE_PROOF.split('\n');
  for (const text of [
    '',
    SAMPLE_PROOF.replace('@v1', '@v2'),
    SAMPLE_PROOF.replace('index 5', 'index 05'),
    SAMPLE_PROOF.replace('index 5', 'index -5'),
    SAMPLE_PROOF.replace('index 5\n', ''),
    SAMPLE_PROOF.replace('index 5', 'extra !\nindex 5'),
    SAMPLE_PROOF.replace('\n\naudit', '\naudit').replace('\n\n—', '\n—'),
    SAMPLE_PROOF.replace('vBoGQ7', 'vBoG'),
    lines.toSpliced(2, 0, ...Array<string>(64).fill(lines[2] as string)).join('\n'),
  ])
    expect(() => parseTlogProof(text)).toThrow(refusal('ERR_PROOF_MALFORMED'));
});

it('refuses an index outside the tree', () => {
  expect(() => verifyTlogProof(hasher, SAMPLE_PROOF.replace('index 5', 'index 8'), entry(5), log)).toThrow(
    refusal('ERR_PROOF_INDEX'),
  );
});

describe('under a policy', () => {
  const [w1 = '', w2 = ''] = witnessKeys.map(({ vkey }) => vkey);
  const policy = parseTrustPolicy(
    `log ${logKey.vkey}\nwitness one ${w1}\nwitness two ${w2}\ngroup both all one two\nquorum both\n`,
  );

  it('proves an entry against a checkpoint that enough witnesses cosigned', () => {
    const proven = verifyTlogProofUnder(hasher, proofOf(5n, cosigned(0, 1)), entry(5), policy);
    expect(proven).toMatchObject({ index: 5n, checkpoint: { origin: ORIGIN, size: 8n }, quorum: true });
    expect(proven.cosigned.map(({ witness, atS }) => [witness.name, atS])).toEqual([
      ['one', AT_S],
      ['two', AT_S],
    ]);
  });

  it('proves the same to those who know only the log', () => {
    expect(verifyTlogProof(hasher, proofOf(5n, cosigned(0, 1)), entry(5), log).index).toBe(5n);
  });

  it('refuses too few witnesses, another entry, and another log', () => {
    const proof = proofOf(5n, cosigned(0, 1));
    const under = (text: string, bytes: Buffer) => () => verifyTlogProofUnder(hasher, text, bytes, policy);
    expect(under(proofOf(5n, cosigned(1)), entry(5))).toThrow(refusal('ERR_TRUST_QUORUM'));
    expect(under(proof, entry(4))).toThrow(refusal('ERR_ROOT_MISMATCH'));
    const other = parseTrustPolicy('quorum none\n');
    expect(() => verifyTlogProofUnder(hasher, proof, entry(5), other)).toThrow(refusal('ERR_NOTE_UNTRUSTED'));
  });
});

it('refuses every tampering with the proof of any entry in any log of up to 2,000', () => {
  const entries = Array.from({ length: 2_000 }, (_, i) => Buffer.from(`entry ${i}`));
  const hashes = entries.map((each) => hasher.leaf(each));
  const reader = nodeReader(hashes);
  const place = fc.integer({ min: 1, max: entries.length }).chain((size) =>
    fc.record({
      size: fc.constant(size),
      index: fc.integer({ min: 0, max: size - 1 }),
      bit: fc.integer({ min: 0, max: 255 }),
      line: fc.nat(),
    }),
  );
  fc.assert(
    fc.property(place, ({ size, index, bit, line }) => {
      const root = rootOf(hasher, append(hasher, EMPTY_RANGE, hashes.slice(0, size)));
      const checkpoint = signCheckpoint({ origin: ORIGIN, size: BigInt(size), root }, [logSigner]);
      const proof = proveInclusion(hasher, BigInt(index), BigInt(size), reader);
      const text = formatTlogProof({ index: BigInt(index), proof, checkpoint });
      const [bytes] = entries.slice(index) as [Buffer];
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit % changed.length) ^ (1 << (bit & 7)), bit % changed.length);

      expect(verifyTlogProof(hasher, text, bytes, log).index).toBe(BigInt(index));
      expect(() => verifyTlogProof(hasher, text, changed, log)).toThrow(anyRefusal);
      for (const bad of tampered(text, proof, { size, index, bit, line }))
        expect(() => verifyTlogProof(hasher, bad, bytes, log)).toThrow(anyRefusal);
    }),
    { numRuns: 50 },
  );
});

/** Texts that differ in index, hashes, size, root or signature. */
function tampered(
  text: string,
  proof: readonly Hash[],
  { size, index, bit, line }: { size: number; index: number; bit: number; line: number },
): string[] {
  const [flippedIndex, flippedSize] = [index, size].map((number) => number ^ (1 << (bit % 12)));
  const hashes = proof.map(toBase64);
  const at = line % Math.max(1, proof.length);
  const [hash, next] = [hashes[at], hashes[at + 1]];
  const [, , , root = ''] = /\n\n(.*)\n(.*)\n(.*)\n/.exec(text) ?? [];
  const signature = text.trimEnd().slice(text.lastIndexOf(' ') + 1);
  return [
    text.replace(`index ${index}\n`, `index ${flippedIndex}\n`),
    text.replace(`\n${size}\n`, `\n${flippedSize}\n`),
    text.replace(root, flippedIn(root, bit)),
    text.replace(signature, flippedIn(signature, 32 + 2 * bit)),
    ...(hash === undefined
      ? []
      : [
          text.replace(hash, flippedIn(hash, bit)),
          text.replace(`${hash}\n`, ''),
          text.replace(hash, `${hash}\n${hash}`),
        ]),
    ...(hash === undefined || next === undefined
      ? []
      : [text.replace(`${hash}\n${next}`, `${next}\n${hash}`)]),
  ];
}

function flippedIn(text: string, bit: number): string {
  const bytes = Buffer.from(fromBase64(text)!);
  bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return toBase64(bytes);
}
