/** Trees for the specs: the eight published inputs, and trees of any size with memoised subtree roots. */
import { hasher } from '../node/hasher.js';
import type { Hash } from '../src/hash.js';
import type { ReadNode } from '../src/proof.js';
import { perfectRoot } from '../src/tile.js';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** The same bytes as a plain array: what `node:crypto` gives are `Buffer`s, which jest tells apart. */
export const plain = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes);
export const unhex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Source: transparency-dev/merkle@417fb0c testonly/constants.go (Apache-2.0). */
export const PUBLISHED_INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map(unhex);

/** Leaf i is the byte i mod 256. */
export const byteLeaves = (n: number): Hash[] =>
  Array.from({ length: n }, (_, i) => hasher.leaf(Uint8Array.of(i)));

/** Reads nodes out of leaf hashes held in memory. */
export function nodeReader(leaves: readonly Hash[]): ReadNode {
  const known: Hash[][] = [];
  return ({ level, index }) => {
    const row = (known[level] ??= []);
    const [at, width] = [Number(index), 2 ** level];
    return (row[at] ??= perfectRoot(hasher, leaves.slice(at * width, (at + 1) * width)));
  };
}
