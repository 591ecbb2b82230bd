/** Why the revoker cannot do all of its work now. It cuts what it knows even while it is not ready. */
import type { Database } from '#store/database.js';

const OUTBOX_OLD_MS = 5_000;

export interface Readiness {
  reasons: () => Promise<string[]>;
  outboxOldestMs: () => number;
  /** Once the bus is reached. */
  reads: (consumer: { isReady: () => boolean }, relay: { oldestMs: () => number }) => void;
}

export function readinessOf(db: Database): Readiness {
  let consumerReady = () => false;
  let outboxOldestMs = () => 0;
  return {
    outboxOldestMs: () => outboxOldestMs(),
    reads: (consumer, relay) => {
      consumerReady = () => consumer.isReady();
      outboxOldestMs = () => relay.oldestMs();
    },
    reasons: async () => [
      ...(consumerReady() ? [] : ['consumer is not assigned']),
      ...(outboxOldestMs() > OUTBOX_OLD_MS ? ['outbox is not being sent'] : []),
      ...(await db.pool.query('SELECT 1').then(
        () => [],
        () => ['database does not answer'],
      )),
    ],
  };
}
