import fc from 'fast-check';
import { hasher } from '../node/hasher.js';
import { nodeReader } from '../spec/leaves.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import type { Hash } from './hash.js';
import { proveConsistency, proveInclusion } from './proof.js';
import { verifyConsistency, verifyInclusion } from './verify.js';

/** Of every pair up to here, and of any pair up to there. */
const [EVERY, ANY] = [257, 2_000];
const leaves = Array.from({ length: ANY }, (_, i) => hasher.leaf(Buffer.from(String(i))));
const read = nodeReader(leaves);
const roots: Hash[] = [];
for (let n = 0, range = EMPTY_RANGE; n <= ANY; n += 1, range = append(hasher, range, leaves.slice(n - 1, n)))
  roots.push(rootOf(hasher, range));

const inclusion = (i: number, n: number) => ({
  index: BigInt(i),
  size: BigInt(n),
  leafHash: leaves[i] as Hash,
  root: roots[n] as Hash,
  proof: proveInclusion(hasher, BigInt(i), BigInt(n), read),
});
const consistency = (m: number, n: number) => ({
  size1: BigInt(m),
  size2: BigInt(n),
  root1: roots[m] as Hash,
  root2: roots[n] as Hash,
  proof: proveConsistency(hasher, BigInt(m), BigInt(n), read),
});
const OK = { ok: true };
const flip = (hash: Hash, bit: number): Hash => {
  const copy = Uint8Array.from(hash);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
};
it('accepts the proof of every leaf in every tree of up to 257', () => {
  for (let n = 1; n <= EVERY; n += 1)
    for (let i = 0; i < n; i += 1)
      if (!verifyInclusion(hasher, inclusion(i, n)).ok) throw new Error(`${i} in ${n}`);
});

it('accepts the proof between every two sizes up to 257', () => {
  for (let n = 1; n <= EVERY; n += 1)
    for (let m = 1; m <= n; m += 1)
      if (!verifyConsistency(hasher, consistency(m, n)).ok) throw new Error(`${m} to ${n}`);
});

/** A leaf in a tree; for consistency, the old tree ends with it. */
const place = fc.integer({ min: 1, max: ANY }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    i: fc.integer({ min: 0, max: n - 1 }),
    /** Of a hash. */
    bit: fc.integer({ min: 0, max: 255 }),
    /** Of an index or a size. */
    high: fc.integer({ min: 0, max: 63 }),
    at: fc.nat(),
  }),
);
/** Every proof that differs from this one in one hash, or in their number or order. */
const mutated = (proof: readonly Hash[], at: number, bit: number): Hash[][] => {
  const added = [proof.length, 0, at % (proof.length + 1)].map((to) =>
    proof.toSpliced(to, 0, leaves[0] as Hash),
  );
  if (proof.length === 0) return added;
  const spot = at % proof.length;
  const { [spot]: hash, [spot + 1]: next } = proof as [Hash, ...Hash[]];
  return [
    ...added,
    proof.with(spot, flip(hash as Hash, bit)),
    proof.with(spot, (hash as Hash).subarray(1)),
    proof.toSpliced(spot, 1),
    proof.toSpliced(spot, 0, hash as Hash),
    ...(next === undefined ? [] : [proof.toSpliced(spot, 2, next, hash as Hash), proof.toReversed()]),
  ];
};

it('refuses every tampered inclusion proof in any tree of up to 2,000', () => {
  fc.assert(
    fc.property(place, ({ n, i, bit, high, at }) => {
      const good = inclusion(i, n);
      const tampered = [
        ...mutated(good.proof, at, bit).map((proof) => ({ ...good, proof })),
        { ...good, proof: [...good.proof, good.root] },
        { ...good, root: flip(good.root, bit) },
        { ...good, leafHash: flip(good.leafHash, bit) },
        { ...good, leafHash: good.root, root: flip(good.leafHash, bit) },
        { ...good, root: good.root.subarray(0, 31) },
        { ...good, leafHash: good.leafHash.subarray(0, 31) },
        { ...good, index: good.index ^ (1n << BigInt(high)) },
        { ...good, index: good.index + 1n },
        { ...good, index: good.size },
        { ...good, index: -1n },
        { ...good, size: 0n },
        { ...good, size: good.size << 1n },
      ];
      expect(verifyInclusion(hasher, good)).toEqual(OK);
      for (const bad of tampered) expect(verifyInclusion(hasher, bad).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

it('refuses every tampered consistency proof between any two sizes up to 2,000', () => {
  fc.assert(
    fc.property(place, ({ n, i, bit, high, at }) => {
      const good = consistency(i + 1, n);
      const { proof } = good;
      const tampered = [
        ...mutated(proof, at, bit).map((other) => ({ ...good, proof: other })),
        { ...good, root1: flip(good.root1, bit) },
        { ...good, root2: flip(good.root2, bit) },
        { ...good, root1: good.root1.subarray(1) },
        { ...good, root2: good.root2.subarray(1) },
        { ...good, size1: good.size1 ^ (1n << BigInt(high)) },
        { ...good, size1: good.size2 + 1n },
        { ...good, size1: -1n },
        { ...good, size1: 0n },
        ...(proof.length === 0
          ? []
          : [
              { ...good, root1: good.root2, root2: good.root1 },
              { ...good, proof: [] },
              { ...good, size1: good.size2 },
              { ...good, size2: good.size2 << 1n },
            ]),
      ];
      expect(verifyConsistency(hasher, good)).toEqual(OK);
      for (const bad of tampered) expect(verifyConsistency(hasher, bad).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

it('names the fault', () => {
  const good = inclusion(5, 8);
  expect(verifyInclusion(hasher, { ...good, index: 8n })).toEqual({ ok: false, code: 'ERR_PROOF_INDEX' });
  expect(verifyInclusion(hasher, { ...good, proof: [] })).toEqual({ ok: false, code: 'ERR_PROOF_LENGTH' });
  expect(verifyInclusion(hasher, { ...good, index: 4n })).toEqual({ ok: false, code: 'ERR_ROOT_MISMATCH' });
  expect(verifyConsistency(hasher, { ...consistency(3, 8), size1: 9n })).toEqual({
    ok: false,
    code: 'ERR_PROOF_INDEX',
  });
});

it('proves nothing from an empty tree, and equal sizes only with equal roots and no proof', () => {
  expect(verifyConsistency(hasher, consistency(0, 8)).ok).toBe(false);
  expect(verifyConsistency(hasher, consistency(0, 0))).toEqual(OK);
  expect(verifyConsistency(hasher, consistency(8, 8))).toEqual(OK);
  expect(verifyConsistency(hasher, { ...consistency(8, 8), root2: roots[7] as Hash }).ok).toBe(false);
  expect(verifyConsistency(hasher, { ...consistency(8, 8), proof: [roots[7] as Hash] }).ok).toBe(false);
});
