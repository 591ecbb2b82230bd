/** What Kafka's answers and the client's errors mean to callers. The client's error stays as the cause; it holds no secret of ours. */
import { AuthenticationError, MultipleErrors, ResponseError } from '@platformatic/kafka';
import { ProviderError, type ProviderErrorCode } from '../provider.js';

/** Error codes of the protocol, as its reference lists them. */
export const NONE = 0;
export const RESOURCE_NOT_FOUND = 91;
/**
 * CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, UNSUPPORTED_VERSION, SECURITY_DISABLED (no authorizer),
 * SASL_AUTHENTICATION_FAILED.
 */
const MISCONFIGURED = new Set([31, 33, 34, 35, 54, 58]);
/** UNKNOWN_SERVER_ERROR, REQUEST_TIMED_OUT, BROKER_NOT_AVAILABLE, NETWORK_EXCEPTION, NOT_CONTROLLER: it may have been done all the same. */
const UNANSWERED = new Set([-1, 7, 8, 13, 41]);

const MESSAGES: Record<ProviderErrorCode, string> = {
  ERR_TARGET_UNREACHABLE: 'target cannot be reached',
  ERR_TARGET_REFUSED: 'target refused',
  ERR_TARGET_MISCONFIGURED: 'target lacks an authorizer, a right or a mechanism that mayfly needs',
  ERR_PLAN_INVALID: 'plan is invalid',
};

/** Requires a code that is not `NONE`. */
export function codeOfAnswer(errorCode: number): ProviderErrorCode {
  if (MISCONFIGURED.has(errorCode)) return 'ERR_TARGET_MISCONFIGURED';
  return UNANSWERED.has(errorCode) ? 'ERR_TARGET_UNREACHABLE' : 'ERR_TARGET_REFUSED';
}

/** @throws ProviderError unless it is `NONE` or one of these */
export function demand(errorCode: number, ...alsoFine: number[]): void {
  if (errorCode === NONE || alsoFine.includes(errorCode)) return;
  const code = codeOfAnswer(errorCode);
  throw new ProviderError(code, MESSAGES[code], { cause: new Error(`kafka answered ${errorCode}`) });
}

export function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const code = isLoginRefused(error) ? 'ERR_TARGET_MISCONFIGURED' : 'ERR_TARGET_UNREACHABLE';
  return new ProviderError(code, MESSAGES[code], { cause: error });
}

/** Somewhere among the causes the server said so, rather than nothing. */
function isLoginRefused(error: unknown): boolean {
  if (error instanceof AuthenticationError || error instanceof ResponseError) return true;
  if (error instanceof MultipleErrors) return error.errors.some(isLoginRefused);
  return error instanceof Error && error.cause !== undefined && isLoginRefused(error.cause);
}
