/** Records of some partitions, in one transaction: positions, effects and outbox together. */
import type { BusRecord } from '#bus/bus.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { transact, type Database, type Tx } from './database.js';
import { moveOffsets, partitionKey, positionsBehind } from './offsets.js';

const RETRYABLE = new Set(['ERR_VERSION_TAKEN', '23505', '40001', '40P01']);

/**
 * Hands `handle` the records that were not handled yet, and moves the positions with their effects.
 * A lost race (a version or an inbox pair was taken, a deadlock) is decided again, at most three times.
 * @param records in order within each partition, and none left out there.
 * @param handle is called in every attempt, with no records where another owner of the partitions has handled them all:
 *   what an attempt leaves behind for after the commit MUST be what it returns.
 * @returns what the attempt that was committed returned.
 */
export async function consumeBatch<E>(
  db: Database,
  group: string,
  records: readonly BusRecord[],
  handle: (tx: Tx, records: readonly BusRecord[]) => Promise<E>,
): Promise<E> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const effects = await transact(db, async (tx) => {
        const effects = await handle(tx, await notHandledYet(tx, group, records));
        faultPoint('batch.before_commit');
        return effects;
      });
      faultPoint('batch.after_commit');
      return effects;
    } catch (error) {
      if (attempt >= 3 || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

/** Moves the positions behind these records. @returns those that nobody has handled. */
export async function notHandledYet(
  tx: Tx,
  group: string,
  records: readonly BusRecord[],
): Promise<BusRecord[]> {
  if (records.length === 0) return [];
  const wanted = await moveOffsets(tx, group, positionsBehind(records));
  return records.filter((record) => record.offset >= (wanted.get(partitionKey(record)) ?? 0n));
}
