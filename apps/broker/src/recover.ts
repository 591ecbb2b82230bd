/** What `mayfly recover` ordered, done before anything is read. */
import type { Bus } from '#bus/bus.js';
import { transact } from '#store/database.js';
import { alone, endRecovery, readStoreLife } from '#store/store-meta.js';
import type { BrokerParts } from './broker-parts.js';
import { recoverStore } from './recover-store.js';
import { recoverTopics } from './recover-topics.js';

/** Resolves at once where nothing was ordered; else once the broker may issue again. */
export async function recover(parts: BrokerParts, bus: Bus): Promise<void> {
  const { db, log } = parts;
  if ((await readStoreLife(db.pool)).recovering === null) return;
  await alone(db, async () => {
    const { epoch, recovering } = await readStoreLife(db.pool);
    // Another process has done it meanwhile.
    if (recovering === null) return;
    log.warn({ epoch, ...recovering }, 'recovering: nothing is issued until it is done');
    if (recovering.store) await recoverStore(parts, bus, epoch);
    await recoverTopics(parts, recovering.topics);
    await transact(db, (tx) => endRecovery(tx, recovering));
    log.warn({ epoch }, 'recovered');
  });
}
