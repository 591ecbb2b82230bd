/** Writes down which policy set decides, and tells it where it is another than before: once, however many brokers see the change. */
import type { EventOf } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { policyChanges } from '#policy/policy-changes.js';
import type { PolicySet } from '#policy/policy-set.js';
import type { Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { credentialRecord } from '../records.js';

export type Activated = Pick<PolicySet, 'digest' | 'fingerprints'>;

/** @returns the record that tells of it; none where this set was the active one, whichever broker said so. */
export async function recordActivation(
  tx: Tx,
  schema: string,
  { digest, fingerprints }: Activated,
  by: string,
): Promise<QueuedRecord[]> {
  // There may be no row to lock yet.
  await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.policy.' || $1, 0))", [schema]);
  const { rows } = await tx.query<{ digest: string; policies: Record<string, string> }>(
    'SELECT digest, policies FROM active_policy',
  );
  const [before] = rows;
  if (before?.digest === digest) return [];
  const { rows: now } = await tx.query<{ nowMs: number }>(
    `INSERT INTO active_policy (digest, policies) VALUES ($1, $2)
       ON CONFLICT (one) DO UPDATE SET digest = excluded.digest, policies = excluded.policies, activated_at = now()
     RETURNING floor(extract(epoch FROM activated_at) * 1000)::float8 AS "nowMs"`,
    [digest, JSON.stringify(fingerprints)],
  );
  const nowMs = now[0]?.nowMs ?? Date.now();
  const event: EventOf<'policy.activated'> = {
    type: 'policy.activated',
    data: {
      taskId: 'policy',
      generation: 0,
      actor: serviceSource('broker'),
      at: new Date(nowMs).toISOString(),
      policySet: digest,
      ...(before === undefined ? {} : { previous: before.digest }),
      ...policyChanges(before?.policies ?? {}, fingerprints),
      policies: Object.keys(fingerprints).length,
      by,
    },
  };
  return await enqueue(tx, [credentialRecord(event, nowMs)]);
}
