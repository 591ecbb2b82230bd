/**
 * Which subtrees a proof is made of (RFC 6962 §2.1.1 and §2.1.2), without any hash: pure arithmetic.
 * Indices and sizes are `bigint`: JavaScript's shifts are 32 bits wide and would break silently at 2^31 leaves.
 */

/** Leaves `[start, end)`. In a proof, `start` is always a multiple of the largest power of two inside. */
export interface Range {
  start: bigint;
  end: bigint;
}

/** A perfect subtree: leaves `[index·2^level, (index+1)·2^level)`. Level 0 is a leaf hash. */
export interface NodeId {
  level: number;
  index: bigint;
}

/** Position of the highest set bit. Requires n > 0. */
export const floorLog2 = (n: bigint): number => n.toString(2).length - 1;

/** The largest power of two smaller than n, where a tree of n leaves splits. Requires n > 1. */
export const splitPoint = (n: bigint): bigint => 1n << BigInt(floorLog2(n - 1n));

/** Subtrees of an inclusion proof, from the leaf's sibling to the root's child. Requires 0 <= index < size. */
export function inclusionRanges(index: bigint, size: bigint): Range[] {
  const path: Range[] = [];
  let start = 0n;
  let end = size;
  while (end - start > 1n) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  return path.reverse();
}

/** Subtrees of a consistency proof between two sizes. Empty for size1 = 0 and size1 = size2. Requires 0 <= size1 <= size2. */
export function consistencyRanges(size1: bigint, size2: bigint): Range[] {
  if (size1 === 0n) return [];
  const path: Range[] = [];
  let start = 0n;
  let end = size2;
  while (size1 !== end) {
    const middle = start + splitPoint(end - start);
    if (size1 <= middle) {
      path.push({ start: middle, end });
      end = middle;
    } else {
      path.push({ start, end: middle });
      start = middle;
    }
  }
  // The old root itself is known to the verifier, so it is left out while the walk never turned right.
  if (start !== 0n) path.push({ start, end });
  return path.reverse();
}

/** The perfect subtrees a range is made of, largest first: one for each bit of its length. */
export function nodesOf({ start, end }: Range): NodeId[] {
  const nodes: NodeId[] = [];
  let at = start;
  while (at < end) {
    const level = floorLog2(end - at);
    nodes.push({ level, index: at >> BigInt(level) });
    at += 1n << BigInt(level);
  }
  return nodes;
}
