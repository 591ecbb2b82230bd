/** All that a bundle needs of `libs/merkle`, in one place. */
import { hasher } from '#merkle/node/hasher.js';
import { fromBase64, toBase64 } from '#merkle/base64.js';
import { parseCheckpointText, type Checkpoint } from '#merkle/checkpoint.js';
import { append, rootOf, type CompactRange } from '#merkle/compact-range.js';
import { MerkleError, type MerkleErrorCode } from '#merkle/errors.js';
import { HASH_BYTES, isHash, type Hash } from '#merkle/hash.js';
import { parseNote } from '#merkle/note.js';
import type { TrustPolicy } from '#merkle/trust-policy.js';
import { openCheckpointUnder } from '#merkle/trust-verdict.js';
import { verifyConsistency } from '#merkle/verify.js';

export { fromBase64, HASH_BYTES, isHash, MerkleError, toBase64 };
export type { Checkpoint, Hash, MerkleErrorCode };
export const EMPTY_ROOT = hasher.emptyRoot;

export const leafHash = (leaf: Uint8Array): Hash => hasher.leaf(leaf);
export const sameHash = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
export const nodeHash = (left: Hash, right: Hash): Hash => hasher.node(left, right);

/** The right edge of the tree so far: one hash for each set bit of `size`, largest subtree first. */
export type Edge = CompactRange;

export const appendLeaves = (edge: Edge, leafHashes: readonly Hash[]): Edge =>
  append(hasher, edge, leafHashes);
export const edgeRoot = (edge: Edge): Hash => rootOf(hasher, edge);

/** Is the tree of `old` a prefix of that of `now`? Requires 0 < old.size < now.size. */
export const extendsHead = (old: Checkpoint, now: Checkpoint, proof: readonly Hash[]): boolean =>
  verifyConsistency(hasher, { size1: old.size, size2: now.size, root1: old.root, root2: now.root, proof }).ok;

/** What a note says of itself; nothing is verified. @throws MerkleError */
export const claimedHead = (note: string): Checkpoint => parseCheckpointText(parseNote(note).text);

export interface SignedHead extends Checkpoint {
  /** The log's keys whose signatures were verified: `name+<key id, 8 hex>`. */
  signedBy: string[];
  /** Names, in the trust file, of the witnesses whose cosignatures were verified. */
  cosignedBy: string[];
}

/** A head that the trust file takes. @throws MerkleError */
export function openHead(note: string, trust: TrustPolicy): SignedHead {
  const { checkpoint, logKeys, cosigned } = openCheckpointUnder(trust, note);
  return {
    ...checkpoint,
    signedBy: logKeys.map(({ name, keyId }) => `${name}+${keyId.toString(16).padStart(8, '0')}`),
    cosignedBy: cosigned.map(({ witness }) => witness.name),
  };
}
