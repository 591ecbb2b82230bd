import type { MerkleErrorCode } from '../src/errors.js';

/** What `toThrow` expects of a refusal with this code. */
export const refusal = (code: MerkleErrorCode): Error =>
  expect.objectContaining({ name: 'MerkleError', code }) as Error;
/** Any refusal of this library: never a TypeError out of hostile input. */
export const anyRefusal: Error = expect.objectContaining({ name: 'MerkleError' }) as Error;
