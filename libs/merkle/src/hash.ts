/**
 * Hashing of RFC 6962 §2.1 (unchanged in RFC 9162 §2.1.1): leaves and inner nodes have different prefixes,
 * so that neither can be passed off as the other. SHA-256 throughout; a hash is 32 bytes.
 */
import { toBase64 } from './base64.js';
import { MerkleError } from './errors.js';
import type { Sha256 } from './platform.js';

export type Hash = Uint8Array;

export const HASH_BYTES = 32;
/** The largest entry that C2SP tlog-tiles can bundle. */
export const MAX_ENTRY_BYTES = 65_535;
const LEAF_PREFIX = 0x00;
const NODE_PREFIX = 0x01;
const SHA256_OF_NOTHING = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';

/** All hashing of a tree. It is made once, with `treeHasher`. */
export interface TreeHasher {
  /** Root of a tree without leaves: the hash of nothing. */
  readonly emptyRoot: Hash;
  /** Hash of an entry's bytes. */
  leaf(entry: Uint8Array): Hash;
  /** Hash of an inner node. */
  node(left: Hash, right: Hash): Hash;
}

/**
 * A tree is hashed ten thousands of times a second, so inputs are put together in place, and all that is allocated is the result.
 * @throws MerkleError ERR_HASH_INVALID for a function that is not SHA-256.
 */
export function treeHasher(sha256: Sha256): TreeHasher {
  const emptyRoot = sha256(new Uint8Array(0));
  if (toBase64(emptyRoot) !== SHA256_OF_NOTHING)
    throw new MerkleError('ERR_HASH_INVALID', 'the hash function is not SHA-256');
  const leafInput = withPrefix(LEAF_PREFIX, MAX_ENTRY_BYTES);
  const nodeInput = withPrefix(NODE_PREFIX, 2 * HASH_BYTES);
  return {
    emptyRoot,
    leaf: (entry) => {
      const { length } = entry;
      const input = length > MAX_ENTRY_BYTES ? withPrefix(LEAF_PREFIX, length) : leafInput;
      input.set(entry, 1);
      return sha256(input.subarray(0, 1 + length));
    },
    node: (left, right) => {
      const length = left.length + right.length;
      const input = length === 2 * HASH_BYTES ? nodeInput : withPrefix(NODE_PREFIX, length);
      input.set(left, 1);
      input.set(right, 1 + left.length);
      return sha256(input);
    },
  };
}

function withPrefix(prefix: number, bytes: number): Uint8Array {
  const input = new Uint8Array(1 + bytes);
  input[0] = prefix;
  return input;
}

export const isHash = (bytes: Uint8Array): bytes is Hash => bytes.length === HASH_BYTES;

/** Plain comparison: none of these hashes is a secret. */
export const sameHash = (a: Hash, b: Hash): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at]);
