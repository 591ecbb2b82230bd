/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first. It is all that appending needs,
 * at most 63 hashes, so a log stores this and never rebuilds its tree.
 */
import { concat } from './bytes.js';
import { MerkleError } from './errors.js';
import { HASH_BYTES, type Hash, type TreeHasher } from './hash.js';

export interface CompactRange {
  readonly size: bigint;
  /** One hash for each set bit of `size`. */
  readonly nodes: readonly Hash[];
}

export const EMPTY_RANGE: CompactRange = { size: 0n, nodes: [] };

/** The range after appending these leaf hashes, in order. The given range is not changed. */
export function append(hasher: TreeHasher, range: CompactRange, leafHashes: readonly Hash[]): CompactRange {
  const nodes = [...range.nodes];
  let { size } = range;
  for (const leafHash of leafHashes) {
    let hash = leafHash;
    for (let bits = size; (bits & 1n) === 1n; bits >>= 1n) hash = hasher.node(nodes.pop() as Hash, hash);
    nodes.push(hash);
    size += 1n;
  }
  return { size, nodes };
}

/** The root hash (RFC 6962 §2.1): smaller subtrees are folded into larger ones from the right. */
export function rootOf(hasher: TreeHasher, { nodes }: CompactRange): Hash {
  const last = nodes.at(-1);
  if (last === undefined) return hasher.emptyRoot;
  return nodes.slice(0, -1).reduceRight((right, left) => hasher.node(left, right), last);
}

export const encodeNodes = ({ nodes }: CompactRange): Uint8Array => concat(...nodes);

/** @throws MerkleError ERR_RANGE_INVALID unless there is exactly one hash for each set bit of `size`. */
export function decodeNodes(size: bigint, bytes: Uint8Array): CompactRange {
  const count = size < 0n ? -1 : size.toString(2).replaceAll('0', '').length;
  if (bytes.length !== count * HASH_BYTES)
    throw new MerkleError('ERR_RANGE_INVALID', 'the stored edge does not belong to this size');
  // Copied: a `Buffer` would slice without, and what a store read is its own.
  const kept = new Uint8Array(bytes);
  const nodes = Array.from({ length: count }, (_, i) => kept.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  return { size, nodes };
}
