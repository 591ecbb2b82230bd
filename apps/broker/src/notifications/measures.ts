/** How receivers of notifications keep up. Receivers are those of the configuration, so their names are a closed set. */
import type { Metrics } from '#telemetry/metrics.js';

export type NotificationMeasures = ReturnType<typeof createNotificationMeasures>;

export function createNotificationMeasures(metrics: Metrics) {
  return {
    waiting: metrics.gauge({
      name: 'notifications_waiting',
      help: 'Notifications that a receiver has not taken yet.',
      labels: ['receiver'],
    }),
    settled: metrics.counter({
      name: 'notifications_settled_total',
      help: 'Notifications that are not sent again: taken, or given up because they are too old or too many.',
      labels: ['receiver', 'how'],
    }),
    failed: metrics.counter({
      name: 'notification_attempts_failed_total',
      help: 'Attempts to notify that a receiver did not take.',
      labels: ['receiver'],
    }),
  };
}
