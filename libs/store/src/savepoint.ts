/** Part of a transaction that may fail without taking the rest with it. */
import type { Tx } from './database.js';
import { isTransient } from './transient.js';

/**
 * @param onFailure told of what was undone.
 * @returns `otherwise` where `work` failed. @throws what `isTransient`: then the whole transaction is tried again
 */
export async function unlessItFails<T>(
  tx: Tx,
  work: () => Promise<T>,
  otherwise: T,
  onFailure: (error: unknown) => void,
): Promise<T> {
  await tx.query('SAVEPOINT may_fail');
  try {
    const result = await work();
    await tx.query('RELEASE SAVEPOINT may_fail');
    return result;
  } catch (error) {
    if (isTransient(error)) throw error;
    await tx.query('ROLLBACK TO SAVEPOINT may_fail');
    onFailure(error);
    return otherwise;
  }
}
