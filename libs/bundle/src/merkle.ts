/** All that a bundle needs of `libs/merkle`, in one place. */
import { fromBase64, toBase64 } from '#merkle/base64.js';
import { openCheckpoint, parseCheckpointText, type Checkpoint } from '#merkle/checkpoint.js';
import { append, rootOf, type CompactRange } from '#merkle/compact-range.js';
import { MerkleError, type MerkleErrorCode } from '#merkle/errors.js';
import { EMPTY_ROOT, hashLeaf, hashNode, HASH_BYTES, isHash, type Hash } from '#merkle/hash.js';
import { parseVerifier, type NoteVerifier } from '#merkle/note-key.js';
import { openNote, parseNote } from '#merkle/note.js';
import { verifyConsistency } from '#merkle/verify.js';

export { EMPTY_ROOT, fromBase64, HASH_BYTES, isHash, MerkleError, parseVerifier, toBase64 };
export type { Checkpoint, Hash, MerkleErrorCode, NoteVerifier };

export const leafHash = (leaf: Uint8Array): Hash => hashLeaf(leaf);
export const sameHash = (a: Hash, b: Hash): boolean => Buffer.compare(a, b) === 0;
export const nodeHash = (left: Hash, right: Hash): Hash => hashNode(left, right);

/** The right edge of the tree so far: one hash for each set bit of `size`, largest subtree first. */
export type Edge = CompactRange;

export const appendLeaves = (edge: Edge, leafHashes: readonly Hash[]): Edge => append(edge, leafHashes);
export const edgeRoot = (edge: Edge): Hash => rootOf(edge);

/** Is the tree of `old` a prefix of that of `now`? Requires 0 < old.size < now.size. */
export const extendsHead = (old: Checkpoint, now: Checkpoint, proof: readonly Hash[]): boolean =>
  verifyConsistency({ size1: old.size, size2: now.size, root1: old.root, root2: now.root, proof }).ok;

/** What a note says of itself; nothing is verified. @throws MerkleError */
export const claimedHead = (note: string): Checkpoint => parseCheckpointText(parseNote(note).text);

export interface SignedHead extends Checkpoint {
  /** Whose signatures were verified: `name+<key id, 8 hex>`. */
  signedBy: string[];
}

/** A verified head of this log. @throws MerkleError */
export function openHead(note: string, origin: string, verifiers: readonly NoteVerifier[]): SignedHead {
  const checkpoint = openCheckpoint(note, origin, verifiers);
  const { verified } = openNote(note, verifiers);
  return {
    ...checkpoint,
    signedBy: verified.map(({ name, keyId }) => `${name}+${keyId.toString(16).padStart(8, '0')}`),
  };
}
