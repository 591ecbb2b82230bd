/** What is shown of versions of the policy folder. */
import type { Metrics } from '#telemetry/metrics.js';

export type PolicyMeasures = ReturnType<typeof policyMeasures>;

export function policyMeasures(metrics: Metrics) {
  const versions = metrics.counter({
    name: 'policy_versions_total',
    help: 'Versions of the policy folder by what became of them.',
    labels: ['outcome'],
  });
  const refused = metrics.gauge({
    name: 'policy_version_refused',
    help: '1 while the policy folder holds a version that was refused; the one before decides.',
  });
  const disagreements = metrics.counter({
    name: 'policy_disagreements_total',
    help: 'Compiled policies said otherwise than the engine. Always 0, or the engine decides alone from then on.',
  });
  return {
    disagreed(): void {
      disagreements.inc();
    },
    activated(): void {
      versions.inc({ outcome: 'activated' });
    },
    refused(): void {
      versions.inc({ outcome: 'refused' });
      refused.set(1);
    },
    /** The folder holds what decides. */
    good(): void {
      refused.set(0);
    },
  };
}
