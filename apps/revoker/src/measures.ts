/** What the revoker shows of itself. */
import type { Metrics } from '#telemetry/metrics.js';
import type { Database } from '#store/database.js';

export type Measures = ReturnType<typeof createMeasures>;

export function createMeasures(metrics: Metrics) {
  return {
    /** A hostile or mistaken task event. The broker records it; here it is only counted. */
    refusedTaskEvents: metrics.counter({
      name: 'task_events_refused_total',
      help: 'Task events that did nothing, by the code of the refusal.',
      labels: ['code'],
    }),
    refusedRecords: metrics.counter({
      name: 'records_refused_total',
      help: 'Records on the credential topic that none of the services wrote, or that cannot be read.',
      labels: ['code'],
    }),
    peerRestored: metrics.counter({
      name: 'peer_store_restored_total',
      help: 'Records of the broker whose counter another record had. Always 0, or its database was restored and it runs.',
    }),
    cutSeconds: metrics.histogram({
      name: 'cut_seconds',
      help: 'From the request of a revocation to its proof at the target.',
      labels: ['cause'],
    }),
    orders: metrics.counter({
      name: 'revocation_orders_total',
      help: "Operators' orders to revoke, by what they are about.",
      labels: ['scope'],
    }),
    orderRefusals: metrics.counter({
      name: 'revocation_orders_refused_total',
      help: 'Orders to revoke or to reinstate that did nothing, by the code of the refusal.',
      labels: ['code'],
    }),
    failedAttempts: metrics.counter({
      name: 'cut_attempts_failed_total',
      help: 'Cuts and cleans that proved nothing, by what was to be done.',
      labels: ['work'],
    }),
    unproven: metrics.counter({
      name: 'revocations_unproven_total',
      help: 'Times that a revocation was told to be unproven, by why it was.',
      labels: ['code'],
    }),
    lateAttempts: metrics.counter({
      name: 'cut_attempts_late_total',
      help: 'Cuts and cleans that did not count: somebody else had taken the lease over, or it was begun anew.',
      labels: ['work'],
    }),
    issuedAfterRemoval: metrics.counter({
      name: 'issued_after_removal_total',
      help: 'Leases heard to be issued after their removal was proven. Always 0, or the broker breaks a rule.',
    }),
  };
}

/** Both halves by their index: what is due, not what is known, is what a scrape costs. */
const DUE = `(SELECT body FROM lease WHERE state = 'due' AND turn_at IS NULL
              UNION ALL SELECT body FROM lease WHERE state = 'due' AND turn_at IS NOT NULL) AS due`;
const UNPROVEN = `${DUE} WHERE (body->'revocation'->>'attempts')::int >= 3`;

/** Looked up at each scrape. */
export function measureLeases(metrics: Metrics, db: Database): void {
  const read = (query: string) => async () => {
    const { rows } = await db.pool.query<{ n: number | null }>(query);
    return rows[0]?.n ?? 0;
  };
  metrics.gauge({
    name: 'leases_due',
    help: 'Leases whose access is to be cut and is not proven gone.',
    read: read(`SELECT count(*)::int AS n FROM ${DUE}`),
  });
  metrics.gauge({
    name: 'leases_unproven',
    help: 'Leases due whose cut failed at least three times.',
    read: read(`SELECT count(*)::int AS n FROM ${UNPROVEN}`),
  });
  metrics.gauge({
    name: 'unproven_exposure_seconds',
    help: 'How long the access that has been unproven the longest should have been gone. 0 where there is none.',
    read: read(
      `SELECT extract(epoch FROM clock_timestamp())::float8
              - min((body->'revocation'->>'requestedAtMs')::float8) / 1000 AS n FROM ${UNPROVEN}`,
    ),
  });
}
