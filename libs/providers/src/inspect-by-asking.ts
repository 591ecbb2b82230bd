/** One look at a target by asking it what our account has to be able to ask: that takes the way there, its certificate, the login and a right. */
import { createLog, type Log } from '#telemetry/log.js';
import { ProviderError, type ProviderErrorCode } from './provider.js';
import type { TargetFinding, TargetFindingCode } from './target-finding.js';

/**
 * Never rejects.
 * @param ask rejects with a ProviderError where it is not answered, and leaves nothing open
 * @param user whose login it is, as the operator wrote it
 */
export async function inspectByAsking(
  ask: (log: Log) => Promise<void>,
  user: string,
): Promise<TargetFinding[]> {
  try {
    await ask(createLog('inspect', { level: 'silent' }));
    return [];
  } catch (error) {
    const kind = error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID';
    return [{ code: CODES[kind], what: WHAT[kind], how: HOW[kind](user) }];
  }
}

const CODES: Record<ProviderErrorCode, TargetFindingCode> = {
  ERR_TARGET_UNREACHABLE: 'ERR_TARGET_UNREACHABLE',
  ERR_TARGET_REFUSED: 'ERR_TARGET_NOT_INSPECTED',
  ERR_TARGET_MISCONFIGURED: 'ERR_TARGET_RIGHT_MISSING',
  ERR_PLAN_INVALID: 'ERR_TARGET_NOT_INSPECTED',
};

const WHAT: Record<ProviderErrorCode, string> = {
  ERR_TARGET_UNREACHABLE: 'not all of its servers answer, or a certificate is not trusted',
  ERR_TARGET_REFUSED: 'it does not answer what mayfly asks',
  ERR_TARGET_MISCONFIGURED: 'it does not let mayfly in, or not see who may do what',
  ERR_PLAN_INVALID: 'it could not be looked at',
};

const HOW: Record<ProviderErrorCode, (user: string) => string> = {
  ERR_TARGET_UNREACHABLE: () =>
    'see that each server in targets.yaml runs and can be reached, and that tls.ca is the certificate that signed theirs',
  ERR_TARGET_REFUSED: () => "see the server's log",
  ERR_TARGET_MISCONFIGURED: (user) =>
    `see that the password of ${user} is right, and give it the rights under "Rights" on the provider's page`,
  ERR_PLAN_INVALID: () => "see the service's log",
};
