/** The tree on Node: hashing by `node:crypto`. */
import { hash } from 'node:crypto';
import { treeHasher } from '../src/hash.js';

export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export const hasher = treeHasher(sha256);
