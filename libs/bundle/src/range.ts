/**
 * What proves a range `[from, to)` of a tree of `size` leaves: the roots of the perfect subtrees on its left and on its right.
 * With the hashes of the range between them they give the root, so every entry of the range is proven at once.
 */
import { nodeHash, type Edge, type Hash } from './merkle.js';

/** A perfect subtree: leaves `[index·2^level, (index+1)·2^level)`. */
export interface Subtree {
  level: number;
  index: bigint;
}

/**
 * The largest perfect subtrees that make up `[start, end)`, from left to right. Of `[0, from)` it is one for each set bit; no side
 * ever has more than 126. Requires 0 <= start <= end.
 */
export function subtreesBetween(start: bigint, end: bigint): Subtree[] {
  const found: Subtree[] = [];
  let at = start;
  while (at < end) {
    let level = 0;
    while (isAligned(at, level + 1) && at + (1n << BigInt(level + 1)) <= end) level += 1;
    found.push({ level, index: at >> BigInt(level) });
    at += 1n << BigInt(level);
  }
  return found;
}

const isAligned = (at: bigint, level: number): boolean => (at & ((1n << BigInt(level)) - 1n)) === 0n;

/** The edge of the tree of the first `from` leaves; undefined unless there is a hash for each of its subtrees. */
export function edgeOf(from: bigint, left: readonly Hash[]): Edge | undefined {
  return left.length === subtreesBetween(0n, from).length ? { size: from, nodes: left } : undefined;
}

/** The edge of the tree of `size` leaves; undefined unless there is a hash for each subtree that is missing. */
export function closeEdge(edge: Edge, size: bigint, right: readonly Hash[]): Edge | undefined {
  const missing = subtreesBetween(edge.size, size);
  if (missing.length !== right.length) return undefined;
  return missing.reduce((before, { level }, i) => appendSubtree(before, level, right[i] as Hash), edge);
}

/** Requires that the edge's size is a multiple of the subtree's. */
function appendSubtree({ size, nodes }: Edge, level: number, root: Hash): Edge {
  const kept = [...nodes];
  let hash = root;
  for (let bits = size >> BigInt(level); (bits & 1n) === 1n; bits >>= 1n)
    hash = nodeHash(kept.pop() as Hash, hash);
  return { size: size + (1n << BigInt(level)), nodes: [...kept, hash] };
}
