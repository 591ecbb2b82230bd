/**
 * Hashing of RFC 6962 §2.1 (unchanged in RFC 9162 §2.1.1): leaves and inner nodes have different prefixes,
 * so that neither can be passed off as the other. SHA-256 throughout; a hash is 32 bytes.
 */
import { hash } from 'node:crypto';

export type Hash = Uint8Array;

export const HASH_BYTES = 32;
const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

export const sha256 = (...parts: Uint8Array[]): Hash => hash('sha256', Buffer.concat(parts), 'buffer');

/** Root of a tree without leaves: the hash of nothing. */
export const EMPTY_ROOT: Hash = sha256();

/** Hash of an entry's bytes. */
export const hashLeaf = (entry: Uint8Array): Hash => sha256(LEAF_PREFIX, entry);

/** Hash of an inner node. */
export const hashNode = (left: Hash, right: Hash): Hash => sha256(NODE_PREFIX, left, right);

export const isHash = (bytes: Uint8Array): bytes is Hash => bytes.length === HASH_BYTES;

/** Plain comparison: none of these hashes is a secret. */
export const sameHash = (a: Hash, b: Hash): boolean =>
  a.length === b.length && Buffer.compare(Buffer.from(a), Buffer.from(b)) === 0;
