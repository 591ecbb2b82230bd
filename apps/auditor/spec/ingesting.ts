/** An ingest that says when it is done, and tells nobody. */
import type { BusRecord } from '#bus/bus.js';
import type { Database } from '#store/database.js';
import { Ingest, type IngestParts } from '../src/ingest.js';
import type { World } from './world.js';

export function ingesting(
  db: Database,
  world: Pick<World, 'authorities' | 'keys'>,
  more: Partial<IngestParts> = {},
) {
  const ingest = new Ingest({
    db,
    authorities: world.authorities,
    keys: world.keys,
    onAppended: () => {},
    send: () => {},
    warn: () => {},
    onDead: (cause) => {
      throw cause;
    },
    ...more,
  });
  return {
    ingest,
    onGap: ingest.onGap.bind(ingest),
    async onBatch(records: readonly BusRecord[]): Promise<void> {
      await ingest.onBatch(records);
      await ingest.intake.idle();
    },
  };
}
