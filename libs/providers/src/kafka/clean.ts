/** Clean: a cut leaves nothing, so there is only to be seen that it is so. What landed since without any right is removed here. */
import { ProviderError, type Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import type { Cluster } from './cluster.js';
import { remove } from './cut.js';
import { lookAt } from './look.js';

/**
 * Several at once.
 * @returns for each plan, in their order, what was seen last, or why it is still there: ERR_TARGET_REFUSED when it was not cut
 * @throws ProviderError where the target does not answer
 */
export async function clean(
  cluster: Cluster,
  plans: readonly CheckedPlan[],
): Promise<(Observation | ProviderError)[]> {
  const before = await lookAt(cluster, 'tidy', plans);
  const left = plans.filter((_, i) => before[i]?.observation.state === 'disabled');
  if (left.length > 0) await remove(cluster, 'tidy', left);
  const after = left.length > 0 ? await lookAt(cluster, 'tidy', plans) : before;
  return after.map(({ observation }) =>
    observation.state === 'live'
      ? new ProviderError('ERR_TARGET_REFUSED', 'principal still has rights: cut it first')
      : observation,
  );
}
