/** What the target's errors mean to callers. The driver's error stays as the cause; it holds no secret of ours. */
import pg from 'pg';
import { ProviderError, type ProviderErrorCode } from '../provider.js';

/** PostgreSQL appendix A: insufficient_privilege, undefined object, table or schema, wrong login, unknown database. */
const MISCONFIGURED = new Set(['42501', '42704', '42P01', '3F000', '28000', '28P01', '3D000']);
/** Connection exceptions, operator intervention, too many connections: the server is there no more, or not yet. */
const UNREACHABLE = /^(08|57P|53300)/;

const MESSAGES: Record<ProviderErrorCode, string> = {
  ERR_TARGET_UNREACHABLE: 'target cannot be reached',
  ERR_TARGET_REFUSED: 'target refused',
  ERR_TARGET_MISCONFIGURED: 'target lacks a right, a role or a table that mayfly needs',
  ERR_PLAN_INVALID: 'plan is invalid',
};

export function asProviderError(error: unknown): ProviderError {
  if (error instanceof ProviderError) return error;
  const code = codeOf(error);
  return new ProviderError(code, MESSAGES[code], { cause: error });
}

function codeOf(error: unknown): ProviderErrorCode {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return 'ERR_TARGET_UNREACHABLE';
  if (MISCONFIGURED.has(error.code)) return 'ERR_TARGET_MISCONFIGURED';
  return UNREACHABLE.test(error.code) ? 'ERR_TARGET_UNREACHABLE' : 'ERR_TARGET_REFUSED';
}
