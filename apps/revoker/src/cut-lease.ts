/** One cut at the target. What it proves is decided elsewhere, from what was seen. */
import type { CutAttempt } from '#events/cut-proof.js';
import { ProviderError, type CredentialProvider } from '#providers/provider.js';
import type { Log } from '#telemetry/log.js';
import type { Workload } from './lease-rows.js';

/** Never rejects. @param provider undefined: the target is not configured here, and its leases stay unproven. */
export async function cutLease(
  lease: Workload,
  provider: CredentialProvider | undefined,
  log: Log,
): Promise<CutAttempt> {
  const startedAtMs = Date.now();
  if (provider === undefined) return { startedAtMs, endedAtMs: startedAtMs, failed: 'ERR_TARGET_UNKNOWN' };
  try {
    const report = await provider.cut(lease.plan);
    return { startedAtMs, endedAtMs: Date.now(), report };
  } catch (error) {
    log.warn({ err: error, leaseId: lease.leaseId, target: lease.plan.target }, 'a cut failed');
    return { startedAtMs, endedAtMs: Date.now(), failed: codeOf(error) };
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof ProviderError ? error.code : 'ERR_TARGET_REFUSED';
