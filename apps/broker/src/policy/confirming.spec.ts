import type { Log } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { confirmingBy } from './confirming.js';
import { policyMeasures } from './policy-measures.js';

const DISAGREEMENT = {
  action: 'readDataset',
  presumed: { outcome: 'permit' as const, policies: ['a'] },
  judged: { outcome: 'deny' as const, policies: ['b'] },
};

function world() {
  const metrics = new Metrics('broker');
  const logged: unknown[] = [];
  const log = { error: (fields: object) => logged.push(fields) } as unknown as Log;
  return { metrics, logged, log, measures: policyMeasures(metrics) };
}

it('has the engine alone decide where the configuration says so', () => {
  const { log, measures } = world();
  expect(confirmingBy({ by: 'engine', confirmOneIn: 100 }, log, measures)).toBeUndefined();
});

it('has compiled policies confirmed as often as the configuration says', () => {
  const { log, measures } = world();
  expect(confirmingBy({ by: 'compiled', confirmOneIn: 7 }, log, measures)).toMatchObject({
    confirmOneIn: 7,
    isTrusted: true,
  });
});

it('counts and logs a disagreement', async () => {
  const { log, logged, measures, metrics } = world();
  confirmingBy({ by: 'compiled', confirmOneIn: 100 }, log, measures)?.onDisagreement(DISAGREEMENT);
  expect(logged).toEqual([DISAGREEMENT]);
  expect(await metrics.text()).toMatch(/^mayfly_policy_disagreements_total\{service="broker"\} 1$/m);
});
