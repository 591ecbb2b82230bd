/**
 * Making proofs (RFC 6962 §2.1.1, §2.1.2). The caller says how a perfect subtree's root is read; `nodesFor…` tells beforehand
 * which ones will be asked for, so that a store can fetch them all at once. Nothing is read twice.
 */
import { MerkleError } from './errors.js';
import type { Hash, TreeHasher } from './hash.js';
import { consistencyRanges, inclusionRanges, nodesOf, type NodeId, type Range } from './subtree.js';

export type ReadNode = (node: NodeId) => Hash;

/** @throws MerkleError ERR_PROOF_INDEX unless 0 <= index < size. */
export function nodesForInclusion(index: bigint, size: bigint): NodeId[] {
  checkedInclusion(index, size);
  return inclusionRanges(index, size).flatMap(nodesOf);
}

/** Hashes from the leaf's sibling up to the root's child. @throws MerkleError ERR_PROOF_INDEX unless 0 <= index < size. */
export function proveInclusion(hasher: TreeHasher, index: bigint, size: bigint, read: ReadNode): Hash[] {
  checkedInclusion(index, size);
  return inclusionRanges(index, size).map((range) => rangeHash(hasher, range, read));
}

/** @throws MerkleError ERR_PROOF_INDEX unless 0 <= size1 <= size2. */
export function nodesForConsistency(size1: bigint, size2: bigint): NodeId[] {
  checkedConsistency(size1, size2);
  return consistencyRanges(size1, size2).flatMap(nodesOf);
}

/** @throws MerkleError ERR_PROOF_INDEX unless 0 <= size1 <= size2. */
export function proveConsistency(hasher: TreeHasher, size1: bigint, size2: bigint, read: ReadNode): Hash[] {
  checkedConsistency(size1, size2);
  return consistencyRanges(size1, size2).map((range) => rangeHash(hasher, range, read));
}

/** The root of the tree of this size, out of stored nodes. Requires size > 0. */
export const rootFromNodes = (hasher: TreeHasher, size: bigint, read: ReadNode): Hash =>
  rangeHash(hasher, { start: 0n, end: size }, read);

function rangeHash(hasher: TreeHasher, range: Range, read: ReadNode): Hash {
  return nodesOf(range)
    .map(read)
    .reduceRight((right, left) => hasher.node(left, right));
}

function checkedInclusion(index: bigint, size: bigint): void {
  if (index < 0n || index >= size) throw new MerkleError('ERR_PROOF_INDEX', 'the index is not in the tree');
}

function checkedConsistency(size1: bigint, size2: bigint): void {
  if (size1 < 0n || size1 > size2) throw new MerkleError('ERR_PROOF_INDEX', 'the sizes are out of order');
}
