/** How receivers of security events keep up. Receivers are those of the configuration, so their names are a closed set. */
import type { Metrics } from '#telemetry/metrics.js';

export type EventMeasures = ReturnType<typeof createEventMeasures>;

export function createEventMeasures(metrics: Metrics) {
  return {
    waiting: metrics.gauge({
      name: 'security_events_waiting',
      help: 'Security events that a receiver has not taken yet.',
      labels: ['receiver'],
    }),
    settled: metrics.counter({
      name: 'security_events_settled_total',
      help: 'Security events that are not told again: taken, refused, over by themselves, or given up.',
      labels: ['receiver', 'how'],
    }),
  };
}
