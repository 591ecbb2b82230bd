import { hasher, sha256 } from '../node/hasher.js';
import { refusal } from '../spec/refusal.js';
import { byteLeaves, hex, nodeReader, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { plainConsistency, plainInclusion } from '../spec/plain-tree.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import {
  nodesForConsistency,
  nodesForInclusion,
  proveConsistency,
  proveInclusion,
  rootFromNodes,
} from './proof.js';
import type { NodeId } from './subtree.js';

const published = PUBLISHED_INPUTS.map((input) => hasher.leaf(input));
const read = nodeReader(published);
const L = published.map(hex);
const root = (n: number): string => hex(rootOf(hasher, append(hasher, EMPTY_RANGE, published.slice(0, n))));
const N23 = '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e';
const N45 = '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a';
const N67 = 'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0';
const N47 = '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4';

describe('published paths (transparency-dev/merkle@417fb0c)', () => {
  it.each([
    [0n, 8n, [L[1], N23, N47]],
    [5n, 8n, [L[4], N67, root(4)]],
    [2n, 3n, [root(2)]],
    [1n, 5n, [L[0], N23, L[4]]],
  ])('proves that leaf %s is in the tree of %s', (index, size, path) => {
    expect(proveInclusion(hasher, index, size, read).map(hex)).toEqual(path);
  });

  it.each([
    [1n, 8n, [L[1], N23, N47]],
    [6n, 8n, [N45, N67, root(4)]],
    [2n, 5n, [N23, L[4]]],
    [6n, 7n, [N45, L[6], root(4)]],
  ])('proves that the tree of %s begins the tree of %s', (size1, size2, path) => {
    expect(proveConsistency(hasher, size1, size2, read).map(hex)).toEqual(path);
  });
});

describe('accumulated proofs over d[i] = byte(i), sizes 0 to 130', () => {
  const reader = nodeReader(byteLeaves(130));
  const accumulated = (lines: string[]): string => hex(sha256(Buffer.from(lines.join(''))));
  const line = (a: number, b: number, hashes: Uint8Array[]): string =>
    `${[a, b, ...hashes.map(hex)].join(' ')}\n`;

  it('agrees on every inclusion proof', () => {
    const lines: string[] = [];
    for (let n = 0; n <= 130; n += 1)
      for (let i = 0; i < n; i += 1)
        lines.push(line(i, n, proveInclusion(hasher, BigInt(i), BigInt(n), reader)));
    expect(accumulated(lines)).toBe('893ce6eea61adc33c22c0e3a952498b76dfa3c282e78ac659f6fcc0ea44f9983');
  });

  it('agrees on every consistency proof', () => {
    const lines: string[] = [];
    for (let n = 0; n <= 130; n += 1)
      for (let m = 0; m <= n; m += 1)
        lines.push(line(m, n, proveConsistency(hasher, BigInt(m), BigInt(n), reader)));
    expect(accumulated(lines)).toBe('ab73a7715fa529728307753a8e31acba5ebca4226b2496e6327b502533a59c7c');
  });
});

describe('accumulated subtrees over d[i] = byte(i), sizes up to 130 (draft-ietf-plants-merkle-tree-certs)', () => {
  const leaves = byteLeaves(130);
  /** A subtree begins at a multiple of the smallest power of two that it fits into. */
  const isSubtree = (start: number, end: number): boolean => {
    let width = 1;
    while (width < end - start) width *= 2;
    return start % width === 0;
  };
  const line = (start: number, end: number): string =>
    `[${start}, ${end}) ${hex(rootOf(hasher, append(hasher, EMPTY_RANGE, leaves.slice(start, end))))}\n`;
  const accumulated = (from: number, length: number): string => {
    const lines: string[] = [];
    for (let end = from; end <= 130; end += 1)
      for (let start = 0; start <= end - length; start += 1)
        if (isSubtree(start, end)) lines.push(line(start, end));
    return hex(sha256(Buffer.from(lines.join(''))));
  };

  it('agrees with the published value that counts empty ones (transparency-dev/merkle@417fb0c)', () => {
    expect(accumulated(0, 0)).toBe('b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81');
  });

  it('agrees with the published value that leaves them out (transparency-dev/merkle@1c24304)', () => {
    expect(accumulated(1, 1)).toBe('94a95384a8c69acea9b50d035a58285b3a777cb7a724005faa5e1f1e1190007f');
  });
});

it('makes the proofs of the plain recursion', () => {
  const leaves = byteLeaves(67);
  const reader = nodeReader(leaves);
  const text = (proof: readonly Uint8Array[]): string => proof.map(hex).join(' ');
  for (let n = 1; n <= leaves.length; n += 1) {
    const tree = leaves.slice(0, n);
    for (let i = 0; i < n; i += 1) {
      const [index, size] = [BigInt(i), BigInt(n)];
      expect(text(proveInclusion(hasher, index, size, reader))).toBe(text(plainInclusion(i, tree)));
      expect(text(proveConsistency(hasher, index, size, reader))).toBe(text(plainConsistency(i, tree)));
    }
  }
});

it('says beforehand which nodes it will read', () => {
  const text = ({ level, index }: NodeId): string => `${level}/${index}`;
  for (let n = 1n; n <= 40n; n += 1n) {
    for (let i = 0n; i < n; i += 1n) {
      const asked: string[] = [];
      const spy = (node: NodeId) => (asked.push(text(node)), hasher.emptyRoot);
      proveInclusion(hasher, i, n, spy);
      proveConsistency(hasher, i, n, spy);
      const said = [...nodesForInclusion(i, n), ...nodesForConsistency(i, n)];
      expect(asked.join(' ')).toBe(said.map(text).join(' '));
    }
  }
});

it('computes the root of an earlier size out of stored nodes', () => {
  for (let n = 1; n <= 8; n += 1) expect(hex(rootFromNodes(hasher, BigInt(n), read))).toBe(root(n));
});

it('needs few nodes at sizes beyond 2^31', () => {
  const nodes = nodesForInclusion(2n ** 31n + 5n, 2n ** 40n + 123n);
  expect(nodes.length).toBeLessThan(64);
  expect(nodes.every(({ index }) => index >= 0n)).toBe(true);
});

it('refuses positions outside the tree', () => {
  const index = refusal('ERR_PROOF_INDEX');
  for (const [i, n] of [
    [-1n, 8n],
    [8n, 8n],
    [0n, 0n],
  ] as const)
    expect(() => proveInclusion(hasher, i, n, read)).toThrow(index);
  for (const [m, n] of [
    [-1n, 8n],
    [9n, 8n],
  ] as const)
    expect(() => proveConsistency(hasher, m, n, read)).toThrow(index);
});
