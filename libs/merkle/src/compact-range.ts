/**
 * The right edge of a growing tree: the roots of its perfect subtrees, largest first. It is all that appending needs,
 * at most 63 hashes, so a log stores this and never rebuilds its tree.
 */
import { MerkleError } from './errors.js';
import { EMPTY_ROOT, HASH_BYTES, hashNode, type Hash } from './hash.js';

export interface CompactRange {
  readonly size: bigint;
  /** One hash for each set bit of `size`. */
  readonly nodes: readonly Hash[];
}

export const EMPTY_RANGE: CompactRange = { size: 0n, nodes: [] };

/** The range after appending these leaf hashes, in order. The given range is not changed. */
export function append(range: CompactRange, leafHashes: readonly Hash[]): CompactRange {
  const nodes = [...range.nodes];
  let { size } = range;
  for (const leafHash of leafHashes) {
    let hash = leafHash;
    for (let bits = size; (bits & 1n) === 1n; bits >>= 1n) hash = hashNode(nodes.pop() as Hash, hash);
    nodes.push(hash);
    size += 1n;
  }
  return { size, nodes };
}

/** The root hash (RFC 6962 §2.1): smaller subtrees are folded into larger ones from the right. */
export function rootOf({ nodes }: CompactRange): Hash {
  const last = nodes.at(-1);
  if (last === undefined) return EMPTY_ROOT;
  return nodes.slice(0, -1).reduceRight((right, left) => hashNode(left, right), last);
}

export const encodeNodes = ({ nodes }: CompactRange): Buffer => Buffer.concat(nodes);

/** @throws MerkleError ERR_RANGE_INVALID unless there is exactly one hash for each set bit of `size`. */
export function decodeNodes(size: bigint, bytes: Uint8Array): CompactRange {
  const count = size < 0n ? -1 : size.toString(2).replaceAll('0', '').length;
  if (bytes.length !== count * HASH_BYTES)
    throw new MerkleError('ERR_RANGE_INVALID', 'the stored edge does not belong to this size');
  const nodes = Array.from({ length: count }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
  return { size, nodes };
}
