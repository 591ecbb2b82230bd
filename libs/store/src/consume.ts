/** One fetch of one partition, in one transaction: position, effects and outbox together. */
import type { BusRecord } from '#bus/bus.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { transact, type Database, type Tx } from './database.js';
import { moveOffset } from './offsets.js';

const RETRYABLE = new Set(['ERR_VERSION_TAKEN', '23505', '40001', '40P01']);

/**
 * Hands `handle` the records that were not handled yet, and moves the position with its effects.
 * A lost race (a version or an inbox pair was taken, a deadlock) is decided again, at most three times.
 * @param records of one topic and partition, in order.
 * @param handle is called in every attempt, with no records where another owner of the partition has handled them all:
 *   what an attempt leaves behind for after the commit MUST be what it returns.
 * @returns what the attempt that was committed returned.
 */
export async function consumeBatch<E>(
  db: Database,
  group: string,
  records: readonly BusRecord[],
  handle: (tx: Tx, records: readonly BusRecord[]) => Promise<E>,
): Promise<E> {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return await transact(db, (tx) => handle(tx, []));
  const { topic, partition } = first;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const effects = await transact(db, async (tx) => {
        const next = await moveOffset(tx, group, topic, partition, last.offset + 1n);
        const effects = await handle(
          tx,
          records.filter((record) => record.offset >= next),
        );
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
