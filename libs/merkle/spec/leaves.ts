/** Trees for the specs: the eight published inputs, and trees of any size with memoised subtree roots. */
import { hashLeaf, type Hash } from '../src/hash.js';
import type { ReadNode } from '../src/proof.js';
import { perfectRoot } from '../src/tile.js';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
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
  Array.from({ length: n }, (_, i) => hashLeaf(Uint8Array.of(i)));

/** Reads nodes out of leaf hashes held in memory. */
export function nodeReader(leaves: readonly Hash[]): ReadNode {
  const known = new Map<string, Hash>();
  return ({ level, index }) => {
    const id = `${level}/${index}`;
    let hash = known.get(id);
    if (hash === undefined) {
      const width = 2 ** level;
      hash = perfectRoot(leaves.slice(Number(index) * width, (Number(index) + 1) * width));
      known.set(id, hash);
    }
    return hash;
  };
}
