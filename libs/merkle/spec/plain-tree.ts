/** The recursions of RFC 6962 §2.1 written down as they stand there: slow, and the yardstick for the fast code. */
import { hasher } from '../node/hasher.js';
import type { Hash } from '../src/hash.js';

const split = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

export function plainRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return hasher.emptyRoot;
  if (leaves.length === 1) return leaves[0] as Hash;
  const k = split(leaves.length);
  return hasher.node(plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k)));
}

/** `plainRoot` of the first n leaves. Left halves come again at every size, so they are kept. */
export function plainRoots(leaves: readonly Hash[]): (n: number) => Hash {
  const kept = new Map<string, Hash>();
  const rootOf = (start: number, end: number): Hash => {
    if (end - start === 1) return leaves[start] as Hash;
    const k = split(end - start);
    return hasher.node(left(start, start + k), rootOf(start + k, end));
  };
  const left = (start: number, end: number): Hash => {
    const id = `${start}-${end}`;
    const hash = kept.get(id) ?? rootOf(start, end);
    kept.set(id, hash);
    return hash;
  };
  return (n) => (n === 0 ? hasher.emptyRoot : rootOf(0, n));
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
