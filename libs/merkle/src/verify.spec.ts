import fc from 'fast-check';
import { byteLeaves, nodeReader } from '../spec/leaves.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import type { Hash } from './hash.js';
import { proveConsistency, proveInclusion } from './proof.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

const MAX = 300;
const leaves = byteLeaves(MAX);
const read = nodeReader(leaves);
const roots: Hash[] = [];
for (let n = 0, range = EMPTY_RANGE; n <= MAX; n += 1, range = append(range, leaves.slice(n - 1, n)))
  roots.push(rootOf(range));

const inclusion = (i: number, n: number) => ({
  index: BigInt(i),
  size: BigInt(n),
  leafHash: leaves[i] as Hash,
  root: roots[n] as Hash,
  proof: proveInclusion(BigInt(i), BigInt(n), read),
});
const consistency = (m: number, n: number) => ({
  size1: BigInt(m),
  size2: BigInt(n),
  root1: roots[m] as Hash,
  root2: roots[n] as Hash,
  proof: proveConsistency(BigInt(m), BigInt(n), read),
});
const OK = { ok: true };
const flip = (hash: Hash, bit: number): Hash => {
  const copy = Uint8Array.from(hash);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
};
const flipAt = (proof: readonly Hash[], at: number, bit: number): Hash[] =>
  proof.map((hash, i) => (i === at ? flip(hash, bit) : hash));

it('accepts the proof of every leaf in every tree of up to 300', () => {
  for (let n = 1; n <= MAX; n += 1)
    for (let i = 0; i < n; i += 1) if (!verifyInclusion(inclusion(i, n)).ok) throw new Error(`${i} in ${n}`);
});

it('accepts the proof between every two sizes up to 300', () => {
  for (let n = 1; n <= MAX; n += 1)
    for (let m = 1; m <= n; m += 1)
      if (!verifyConsistency(consistency(m, n)).ok) throw new Error(`${m} to ${n}`);
});

const place = fc.integer({ min: 1, max: MAX }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    i: fc.integer({ min: 0, max: n - 1 }),
    bit: fc.integer({ min: 0, max: 255 }),
    at: fc.nat(),
  }),
);

it('refuses every tampered inclusion proof', () => {
  fc.assert(
    fc.property(place, ({ n, i, bit, at }) => {
      const good = inclusion(i, n);
      const { proof } = good;
      const spot = proof.length === 0 ? 0 : at % proof.length;
      const tampered = [
        { ...good, root: flip(good.root, bit) },
        { ...good, leafHash: flip(good.leafHash, bit) },
        { ...good, leafHash: good.root, root: flip(good.leafHash, bit) },
        { ...good, proof: [...proof, leaves[0] as Hash] },
        { ...good, proof: [leaves[0] as Hash, ...proof] },
        { ...good, proof: [...proof, good.root] },
        { ...good, index: good.size },
        { ...good, index: -1n },
        { ...good, index: good.index + 1n },
        { ...good, index: good.index ^ (1n << 40n) },
        { ...good, size: 0n },
        { ...good, root: good.root.subarray(0, 31) },
        ...(proof.length === 0
          ? []
          : [
              { ...good, proof: flipAt(proof, spot, bit) },
              { ...good, proof: proof.filter((_, k) => k !== spot) },
              { ...good, proof: proof.map((hash, k) => (k === spot ? hash.subarray(1) : hash)) },
              { ...good, index: good.index ^ 1n },
            ]),
        ...(proof.length < 2 ? [] : [{ ...good, proof: [...proof].reverse() }]),
      ];
      expect(verifyInclusion(good)).toEqual(OK);
      for (const bad of tampered) expect(verifyInclusion(bad).ok).toBe(false);
    }),
  );
});

it('refuses every tampered consistency proof', () => {
  fc.assert(
    fc.property(place, ({ n, i, bit, at }) => {
      const good = consistency(i + 1, n);
      const { proof } = good;
      const spot = proof.length === 0 ? 0 : at % proof.length;
      const tampered = [
        { ...good, root1: flip(good.root1, bit) },
        { ...good, root2: flip(good.root2, bit) },
        { ...good, proof: [...proof, leaves[0] as Hash] },
        { ...good, proof: [leaves[0] as Hash, ...proof] },
        { ...good, size1: good.size2 + 1n },
        { ...good, size1: -1n },
        { ...good, size1: 0n },
        { ...good, root1: good.root1.subarray(1) },
        ...(proof.length === 0
          ? []
          : [
              { ...good, root1: good.root2, root2: good.root1 },
              { ...good, proof: flipAt(proof, spot, bit) },
              { ...good, proof: proof.filter((_, k) => k !== spot) },
              { ...good, proof: [] },
              { ...good, size1: good.size2 },
            ]),
        ...(proof.length < 2 ? [] : [{ ...good, proof: [...proof].reverse() }]),
      ];
      expect(verifyConsistency(good)).toEqual(OK);
      for (const bad of tampered) expect(verifyConsistency(bad).ok).toBe(false);
    }),
  );
});

it('names the fault', () => {
  const good = inclusion(5, 8);
  expect(verifyInclusion({ ...good, index: 8n })).toEqual({ ok: false, code: 'ERR_PROOF_INDEX' });
  expect(verifyInclusion({ ...good, proof: [] })).toEqual({ ok: false, code: 'ERR_PROOF_LENGTH' });
  expect(verifyInclusion({ ...good, index: 4n })).toEqual({ ok: false, code: 'ERR_ROOT_MISMATCH' });
  expect(verifyConsistency({ ...consistency(3, 8), size1: 9n })).toEqual({
    ok: false,
    code: 'ERR_PROOF_INDEX',
  });
});

it('proves nothing from an empty tree, and equal sizes only with equal roots and no proof', () => {
  expect(verifyConsistency(consistency(0, 8)).ok).toBe(false);
  expect(verifyConsistency(consistency(0, 0))).toEqual(OK);
  expect(verifyConsistency(consistency(8, 8))).toEqual(OK);
  expect(verifyConsistency({ ...consistency(8, 8), root2: roots[7] as Hash }).ok).toBe(false);
  expect(verifyConsistency({ ...consistency(8, 8), proof: [roots[7] as Hash] }).ok).toBe(false);
});
