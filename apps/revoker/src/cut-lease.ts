/** One cut at the target. What it proves is decided elsewhere, from what was seen. */
import type { CutAttempt } from '#events/cut-proof.js';
import { ProviderError, type CredentialProvider } from '#providers/provider.js';
import type { Log } from '#telemetry/log.js';
import type { Workload } from './lease-rows.js';

/** Longer than any provider's own patience: what has no answer by then never has one, and must not keep its place for ever. */
const ANSWER_WITHIN_MS = 30_000;

/** Never rejects. @param provider undefined: the target is not configured here, and its leases stay unproven. */
export async function cutLease(
  lease: Workload,
  provider: CredentialProvider | undefined,
  log: Log,
): Promise<CutAttempt> {
  const startedAtMs = Date.now();
  if (provider === undefined) return { startedAtMs, endedAtMs: startedAtMs, failed: 'ERR_TARGET_UNKNOWN' };
  try {
    const report = await answered(provider.cut(lease.plan));
    return { startedAtMs, endedAtMs: Date.now(), report };
  } catch (error) {
    log.warn({ err: error, leaseId: lease.leaseId, target: lease.plan.target }, 'a cut failed');
    return { startedAtMs, endedAtMs: Date.now(), failed: codeOf(error) };
  }
}

export const codeOf = (error: unknown): string =>
  error instanceof ProviderError ? error.code : 'ERR_TARGET_REFUSED';

/** @throws ProviderError where a target neither does what it is asked nor says why not */
export async function answered<T>(work: Promise<T>, withinMs = ANSWER_WITHIN_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ProviderError('ERR_TARGET_UNREACHABLE', 'target did not answer in time')),
      withinMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
