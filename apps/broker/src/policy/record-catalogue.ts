/** Writes down which catalogue is gone by, and tells it where it is another than before: once, however many brokers see the change. */
import type { Catalogue } from '#events/catalogue.js';
import { CATALOGUE_KINDS, type CatalogueKind } from '#events/catalogue-events.js';
import type { EventOf } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { catalogueChanges } from '#policy/catalogue-changes.js';
import { catalogueFingerprints, type CatalogueFingerprints } from '#policy/catalogue-digest.js';
import type { Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { credentialRecord } from '../records.js';

/** @returns the record that tells of it; none where this catalogue was the active one, whichever broker said so. */
export async function recordCatalogue(
  tx: Tx,
  schema: string,
  catalogue: Catalogue,
  by: string,
): Promise<QueuedRecord[]> {
  // There may be no row to lock yet.
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.catalogue.' || $1, 0))", [schema]);
  const { rows } = await tx.query<{ digest: string; entries: CatalogueFingerprints }>(
    'SELECT digest, entries FROM active_catalogue',
  );
  const [before] = rows;
  const { digest } = catalogue;
  if (before?.digest === digest) return [];
  const fingerprints = catalogueFingerprints(catalogue);
  const { rows: now } = await tx.query<{ nowMs: number }>(
    `INSERT INTO active_catalogue (digest, entries) VALUES ($1, $2)
       ON CONFLICT (one) DO UPDATE SET digest = excluded.digest, entries = excluded.entries, activated_at = now()
     RETURNING floor(extract(epoch FROM activated_at) * 1000)::float8 AS "nowMs"`,
    [digest, JSON.stringify(fingerprints)],
  );
  const nowMs = now[0]?.nowMs ?? Date.now();
  const event: EventOf<'catalogue.activated'> = {
    type: 'catalogue.activated',
    data: {
      ...{ taskId: 'catalogue', generation: 0, actor: serviceSource('broker') },
      ...{ at: new Date(nowMs).toISOString(), catalogue: digest },
      ...(before === undefined ? {} : { previous: before.digest }),
      changes: catalogueChanges(before?.entries ?? {}, fingerprints),
      entries: Object.fromEntries(CATALOGUE_KINDS.map((kind) => [kind, catalogue[kind].size])) as Record<
        CatalogueKind,
        number
      >,
      by,
    },
  };
  return await enqueue(tx, [credentialRecord(event, nowMs)]);
}
