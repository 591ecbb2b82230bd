/** Of which signed head an answer is: the newest, or the newest that so many witnesses cosigned. */
import type { Tx } from '#store/database.js';
import { cosignedHead, withCosigned } from '../anchor/cosigned.js';
import type { Snapshot } from '../query/snapshot.js';
import { invalid, one, type Query } from './parameters.js';
import { ProblemError, signed } from './problem.js';

export const MAX_COSIGNED = 32;

/** `cosigned`: how many witnesses; 0 unless told. @throws ProblemError ERR_PARAMETER_INVALID */
export function cosignedOf(query: Query): number {
  const text = one(query, 'cosigned') ?? '0';
  const witnesses = /^\d{1,2}$/.test(text) ? Number(text) : Infinity;
  if (witnesses > MAX_COSIGNED) throw invalid('cosigned', `must be 0 to ${MAX_COSIGNED}`);
  return witnesses;
}

/** With the cosignatures that it has. @param newest as the reader was admitted with it @throws ProblemError ERR_NO_CHECKPOINT */
export async function headSeenBy(
  db: Pick<Tx, 'query'>,
  witnesses: number,
  newest: Snapshot | undefined,
): Promise<Snapshot> {
  const head = signed(newest);
  if (witnesses === 0) return await withCosigned(db, head);
  const seen = await cosignedHead(db, witnesses);
  if (seen === undefined)
    throw new ProblemError('ERR_NO_CHECKPOINT', 'no checkpoint is cosigned by so many witnesses yet');
  return seen;
}
