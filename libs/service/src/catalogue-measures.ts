/** What each service shows of versions of the catalogue. */
import type { Metrics } from '#telemetry/metrics.js';

export interface VersionMeasures {
  activated(): void;
  refused(): void;
  /** The folder holds what is in use. */
  good(): void;
}

export function catalogueMeasures(metrics: Metrics): VersionMeasures {
  const versions = metrics.counter({
    name: 'catalogue_versions_total',
    help: 'Versions of the catalogue by what became of them.',
    labels: ['outcome'],
  });
  const refused = metrics.gauge({
    name: 'catalogue_version_refused',
    help: '1 while the catalogue folder holds a version that was refused; the one before is gone by.',
  });
  return {
    activated: () => versions.inc({ outcome: 'activated' }),
    refused: () => {
      versions.inc({ outcome: 'refused' });
      refused.set(1);
    },
    good: () => refused.set(0),
  };
}
