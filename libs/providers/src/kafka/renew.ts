/** Renew: Kafka knows no end of a login, so there is nothing to move. What is there and enabled goes on; it is looked at, no more. */
import type { RenewAnswer } from '../provider.js';
import type { CheckedRenewal } from './checked-plan.js';
import type { Cluster } from './cluster.js';
import { asProviderError } from './errors.js';
import { isEverywhere, isWhole, lookAt } from './look.js';

/** Never rejects. The revoker alone ends it, so the present end is judged by our own clock. */
export async function renew(cluster: Cluster, plan: CheckedRenewal): Promise<RenewAnswer> {
  try {
    const [look] = await lookAt(cluster, 'create', [plan]);
    if (look === undefined || look.observation.state === 'unknown')
      return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
    if (!isEverywhere(look, isWhole)) return { answer: 'refused', code: 'ERR_LEASE_FENCED' };
    if (plan.renewByMs <= Date.now()) return { answer: 'refused', code: 'ERR_RENEWAL_TOO_LATE' };
    return { answer: 'renewed' };
  } catch (error) {
    const { code } = asProviderError(error);
    return code === 'ERR_TARGET_UNREACHABLE' ? { answer: 'none', code } : { answer: 'refused', code };
  }
}
