/** Clean: leaves of a cut user only its fence. The access is gone already, so this may fail and be tried again for as long as it takes. */
import type { Log } from '#telemetry/log.js';
import { ProviderError, type Observation } from '../provider.js';
import { cleanCommand } from './acl.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError } from './errors.js';
import { lookAt, lookAtNode } from './look.js';
import type { Node } from './nodes.js';

/** @throws ProviderError ERR_TARGET_REFUSED when it was not cut, or where no node answers */
export async function clean(nodes: readonly Node[], plan: CheckedPlan, log: Log): Promise<Observation> {
  const looks = await Promise.allSettled(nodes.map((node) => lookAtNode(node, plan)));
  const failures = looks.filter((look) => look.status === 'rejected');
  if (failures.length === nodes.length) throw asProviderError(failures[0]?.reason);
  const seen = looks.map((look) => (look.status === 'fulfilled' ? look.value : null));
  if (seen.some((look) => look?.state === 'live'))
    throw new ProviderError('ERR_TARGET_REFUSED', 'principal can still log in: cut it first');
  // It cannot become live meanwhile: a user that is disabled has its fence.
  const left = nodes.filter((_, i) => seen[i]?.state === 'disabled');
  try {
    await Promise.all(left.map(({ tidy }) => tidy.send([cleanCommand(plan.principal)])));
  } catch (error) {
    throw asProviderError(error);
  }
  return lookAt(nodes, plan, log);
}
