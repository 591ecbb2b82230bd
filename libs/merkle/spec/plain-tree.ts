/** The recursions of RFC 6962 §2.1 written down as they stand there: slow, and the yardstick for the fast code. */
import { EMPTY_ROOT, hashNode, type Hash } from '../src/hash.js';

const split = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

export function plainRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leaves[0] as Hash;
  const k = split(leaves.length);
  return hashNode(plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k)));
}

export function plainInclusion(index: number, leaves: readonly Hash[]): Hash[] {
  if (leaves.length <= 1) return [];
  const k = split(leaves.length);
  return index < k
    ? [...plainInclusion(index, leaves.slice(0, k)), plainRoot(leaves.slice(k))]
    : [...plainInclusion(index - k, leaves.slice(k)), plainRoot(leaves.slice(0, k))];
}

export function plainConsistency(m: number, leaves: readonly Hash[], whole = true): Hash[] {
  const n = leaves.length;
  if (m === 0) return [];
  if (m === n) return whole ? [] : [plainRoot(leaves)];
  const k = split(n);
  return m <= k
    ? [...plainConsistency(m, leaves.slice(0, k), whole), plainRoot(leaves.slice(k))]
    : [...plainConsistency(m - k, leaves.slice(k), false), plainRoot(leaves.slice(0, k))];
}
