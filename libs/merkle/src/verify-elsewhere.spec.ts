/** Our proofs before a verifier that is not ours: the one that checks inclusion in Rekor's log (`@sigstore/verify`). */
import { verifyMerkleInclusion } from '@sigstore/verify/dist/tlog/merkle.js';
import { hasher } from '../node/hasher.js';
import { nodeReader } from '../spec/leaves.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { proveInclusion } from './proof.js';

const MOST = 130;
const entries = Array.from({ length: MOST }, (_, i) => Buffer.from(`entry ${i}`));
const hashes = entries.map((entry) => hasher.leaf(entry));
const read = nodeReader(hashes);

function isBelieved(index: number, size: number, change: (proof: Buffer[]) => Buffer[] = (proof) => proof) {
  const proof = proveInclusion(hasher, BigInt(index), BigInt(size), read).map((hash) => Buffer.from(hash));
  const claim = {
    canonicalizedBody: entries[index],
    inclusionProof: { logIndex: String(index), hashes: change(proof) },
  };
  const root = rootOf(hasher, append(hasher, EMPTY_RANGE, hashes.slice(0, size)));
  const head = { logSize: BigInt(size), logHash: Buffer.from(root) };
  try {
    verifyMerkleInclusion(claim as never, head as never);
    return true;
  } catch {
    return false;
  }
}

it('every entry of every log of up to 130 is believed', () => {
  for (let size = 1; size <= MOST; size += 1)
    for (let index = 0; index < size; index += 1)
      if (!isBelieved(index, size)) throw new Error(`${index} of ${size}`);
});

it('none is with a hash too few, or with a bit of one changed', () => {
  const flipped = (proof: Buffer[]) =>
    proof.map((hash, at) =>
      at === 0 ? Buffer.from(hash.map((byte, i) => (i === 0 ? byte ^ 1 : byte))) : hash,
    );
  for (let index = 0; index < MOST; index += 1) {
    expect(isBelieved(index, MOST, (proof) => proof.slice(1))).toBe(false);
    expect(isBelieved(index, MOST, flipped)).toBe(false);
  }
});
