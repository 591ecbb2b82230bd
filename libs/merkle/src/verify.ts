/**
 * Checking proofs: RFC 9162 §2.1.3.2 (inclusion) and §2.1.4.2 (consistency). Every argument may be hostile, and nothing is
 * trusted but the root: it must come from a checkpoint whose signature was verified.
 */
import { isHash, sameHash, type Hash, type TreeHasher } from './hash.js';

export type ProofFault = 'ERR_PROOF_INDEX' | 'ERR_PROOF_LENGTH' | 'ERR_ROOT_MISMATCH';
export type Verdict = { ok: true } | { ok: false; code: ProofFault };

const refused = (code: ProofFault): Verdict => ({ ok: false, code });

/** Is this leaf hash at `index` in the tree of this size and root? */
export function verifyInclusion(
  hasher: TreeHasher,
  claim: { index: bigint; size: bigint; leafHash: Hash; root: Hash; proof: readonly Hash[] },
): Verdict {
  const { index, size, leafHash, root, proof } = claim;
  if (index < 0n || index >= size) return refused('ERR_PROOF_INDEX');
  if (!isHash(leafHash) || !isHash(root) || !proof.every(isHash)) return refused('ERR_PROOF_LENGTH');
  const walk = climb(index, size - 1n, proof);
  if (walk === undefined) return refused('ERR_PROOF_LENGTH');
  const computed = walk.reduce(
    (hash, { sibling, side }) => (side === 'left' ? hasher.node(sibling, hash) : hasher.node(hash, sibling)),
    leafHash,
  );
  return sameHash(computed, root) ? { ok: true } : refused('ERR_ROOT_MISMATCH');
}

/**
 * Is the tree of size1 and root1 a prefix of the tree of size2 and root2?
 * An empty old tree proves nothing and is refused here: whoever starts from nothing has nothing to compare.
 */
export function verifyConsistency(
  hasher: TreeHasher,
  claim: { size1: bigint; size2: bigint; root1: Hash; root2: Hash; proof: readonly Hash[] },
): Verdict {
  const { size1, size2, root1, root2, proof } = claim;
  if (size1 < 0n || size1 > size2) return refused('ERR_PROOF_INDEX');
  if (!isHash(root1) || !isHash(root2) || !proof.every(isHash)) return refused('ERR_PROOF_LENGTH');
  if (size1 === size2) {
    if (proof.length !== 0) return refused('ERR_PROOF_LENGTH');
    return sameHash(root1, root2) ? { ok: true } : refused('ERR_ROOT_MISMATCH');
  }
  if (size1 === 0n) return refused('ERR_PROOF_INDEX');
  if (proof.length === 0) return refused('ERR_PROOF_LENGTH');

  // A perfect old tree is itself the first node of the way up, and the proof leaves it out.
  const [first, ...rest] = (size1 & (size1 - 1n)) === 0n ? [root1, ...proof] : proof;
  let [low, high] = [size1 - 1n, size2 - 1n];
  while ((low & 1n) === 1n) [low, high] = [low >> 1n, high >> 1n];
  const walk = climb(low, high, rest);
  if (walk === undefined || first === undefined) return refused('ERR_PROOF_LENGTH');
  let [old, now] = [first, first];
  for (const { sibling, side } of walk) {
    if (side === 'left') old = hasher.node(sibling, old);
    now = side === 'left' ? hasher.node(sibling, now) : hasher.node(now, sibling);
  }
  return sameHash(old, root1) && sameHash(now, root2) ? { ok: true } : refused('ERR_ROOT_MISMATCH');
}

/** On which side each hash stands on the way up. Undefined if the proof is too long or too short for this position. */
function climb(
  index: bigint,
  last: bigint,
  proof: readonly Hash[],
): { sibling: Hash; side: 'left' | 'right' }[] | undefined {
  const steps: { sibling: Hash; side: 'left' | 'right' }[] = [];
  for (const sibling of proof) {
    if (last === 0n) return undefined;
    if ((index & 1n) === 1n || index === last) {
      steps.push({ sibling, side: 'left' });
      while ((index & 1n) === 0n && index !== 0n) [index, last] = [index >> 1n, last >> 1n];
    } else {
      steps.push({ sibling, side: 'right' });
    }
    [index, last] = [index >> 1n, last >> 1n];
  }
  return last === 0n ? steps : undefined;
}
