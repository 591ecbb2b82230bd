/** One fetch of one partition, in one transaction: position, effects and outbox together. */
import type { BusRecord } from '#bus/bus.js';
import { transact, type Database, type Tx } from './database.js';
import { advanceOffset, lockOffset } from './offsets.js';
import type { QueuedRecord } from './outbox.js';

/** What a transaction left to be done after its commit. */
export interface Effects {
  /** To be handed to the relay. */
  queued: QueuedRecord[];
  /** Wakes workers; runs after the commit. */
  afterCommit?: () => void;
}

const RETRYABLE = new Set(['ERR_VERSION_TAKEN', '23505', '40001', '40P01']);

/**
 * Hands `handle` the records that were not handled yet, and moves the position with its effects.
 * A lost race (a version or an inbox pair was taken, a deadlock) is decided again, at most three times.
 * @param records of one topic and partition, in order.
 */
export async function consumeBatch(
  db: Database,
  group: string,
  records: readonly BusRecord[],
  handle: (tx: Tx, records: readonly BusRecord[]) => Promise<Effects>,
): Promise<Effects> {
  const [first] = records;
  const last = records.at(-1);
  if (first === undefined || last === undefined) return { queued: [] };
  const { topic, partition } = first;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await transact(db, async (tx) => {
        const next = await lockOffset(tx, group, topic, partition);
        const wanted = records.filter((record) => record.offset >= next);
        const effects = wanted.length === 0 ? { queued: [] } : await handle(tx, wanted);
        await advanceOffset(tx, group, topic, partition, last.offset + 1n);
        return effects;
      });
    } catch (error) {
      if (attempt >= 3 || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}
