import { MerkleError, type MerkleErrorCode } from '../src/errors.js';

/** What `toThrow` expects of a refusal with this code. */
export const refusal = (code: MerkleErrorCode): Error =>
  expect.objectContaining({ name: 'MerkleError', code }) as Error;
/** Whether something is refused, by this library and in no other way: quicker than thousands of expectations. */
export function isRefused(act: () => unknown, code?: MerkleErrorCode): boolean {
  try {
    act();
    return false;
  } catch (error) {
    if (error instanceof MerkleError && (code ?? error.code) === error.code) return true;
    throw error;
  }
}
/** Any refusal of this library: never a TypeError out of hostile input. */
export const anyRefusal: Error = expect.objectContaining({ name: 'MerkleError' }) as Error;
