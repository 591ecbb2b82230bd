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
    issuedAfterRemoval: metrics.counter({
      name: 'issued_after_removal_total',
      help: 'Leases heard to be issued after their removal was proven. Always 0, or the broker breaks a rule.',
    }),
  };
}

/** Looked up at each scrape. */
export function measureLeases(metrics: Metrics, db: Database): void {
  const count = (name: string, help: string, condition: string) =>
    metrics.gauge({
      name,
      help,
      read: async () => {
        const { rows } = await db.pool.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM lease WHERE ${condition}`,
        );
        return rows[0]?.n ?? 0;
      },
    });
  count('leases_due', 'Leases whose access is to be cut and is not proven gone.', "state = 'due'");
  count(
    'leases_unproven',
    'Leases due whose cut failed at least three times.',
    "state = 'due' AND (body->'revocation'->>'attempts')::int >= 3",
  );
}
