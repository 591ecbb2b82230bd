/** Whether calls are decided by compiled policies, and what is said where the engine does not confirm them. */
import type { MayflyConfig } from '#config/load.js';
import type { Confirming } from '#policy/compiled/confirmed-policies.js';
import type { Log } from '#telemetry/log.js';
import type { PolicyMeasures } from './policy-measures.js';

type Decisions = MayflyConfig<'broker'>['services']['broker']['decisions'];

/** Undefined: the engine alone decides. */
export function confirmingBy(
  { by, confirmOneIn }: Decisions,
  log: Log,
  measures: Pick<PolicyMeasures, 'disagreed'>,
): Confirming | undefined {
  if (by === 'engine') return undefined;
  return {
    confirmOneIn,
    isTrusted: true,
    onDisagreement: (about) => {
      measures.disagreed();
      log.error(
        about,
        'compiled policies say otherwise than the engine: it decides alone from now on, and what was decided is to be replayed',
      );
    },
  };
}
