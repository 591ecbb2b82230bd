/** What a server's answers mean to callers. The driver's error stays as the cause; it holds no secret of ours. */
import { ErrorReply } from '@redis/client';
import { ProviderError, type ProviderErrorCode } from '../provider.js';

/** Wrong account, or a right is missing. */
const MISCONFIGURED = /^(WRONGPASS|NOAUTH|NOPERM)\b/;
/** It is starting, or runs somebody's script for so long that it does nothing else. */
const BUSY = /^(LOADING|BUSY)\b/;

const MESSAGES: Record<ProviderErrorCode, string> = {
  ERR_TARGET_UNREACHABLE: 'target cannot be reached',
  ERR_TARGET_REFUSED: 'target refused',
  ERR_TARGET_MISCONFIGURED: 'target lacks a right or an account that mayfly needs',
  ERR_PLAN_INVALID: 'plan is invalid',
};

/** The server has answered, and did nothing. Without an answer nobody knows. */
export const isRefusal = (error: unknown): error is ErrorReply => error instanceof ErrorReply;
export const isBusy = (error: ErrorReply): boolean => BUSY.test(error.message);
export const isMisconfigured = (error: ErrorReply): boolean => MISCONFIGURED.test(error.message);

export function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const code = codeOf(error);
  return new ProviderError(code, MESSAGES[code], { cause: error });
}

function codeOf(error: unknown): ProviderErrorCode {
  if (!isRefusal(error) || isBusy(error)) return 'ERR_TARGET_UNREACHABLE';
  return isMisconfigured(error) ? 'ERR_TARGET_MISCONFIGURED' : 'ERR_TARGET_REFUSED';
}
