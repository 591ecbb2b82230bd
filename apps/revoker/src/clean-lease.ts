/** Drops what a cut left at the target. */
import type { CleanAttempt } from '#events/cut-proof.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { Log } from '#telemetry/log.js';
import { answered, codeOf } from './cut-lease.js';
import type { Workload } from './lease-rows.js';

/** Never rejects. */
export async function cleanLease(
  lease: Workload,
  provider: CredentialProvider | undefined,
  log: Log,
): Promise<CleanAttempt> {
  if (provider === undefined) return { endedAtMs: Date.now(), failed: 'ERR_TARGET_UNKNOWN' };
  try {
    const observation = await answered(provider.clean(lease.plan));
    return { endedAtMs: Date.now(), observation };
  } catch (error) {
    log.warn({ err: error, leaseId: lease.leaseId, target: lease.plan.target }, 'a clean failed');
    // A plan that cannot be cleaned cannot be looked at either.
    const seen = await answered(provider.observe(lease.plan)).catch(() => undefined);
    // Access that came back is cut again rather than cleaned for ever.
    if (seen?.state === 'live') return { endedAtMs: Date.now(), observation: seen };
    return { endedAtMs: Date.now(), failed: codeOf(error) };
  }
}
