/** The answer about a token (RFC 7662 §2.2, RFC 9396 §9.2, RFC 9449 §6.2). Pure. */
import type { AccessTokenClaims } from './access-token.js';

export interface ActiveToken extends Omit<AccessTokenClaims, 'status'> {
  active: true;
  token_type: 'DPoP';
}
/** Nothing else in it: why a token is not active is nobody's business but its holder's. */
export interface InactiveToken {
  active: false;
}
export type IntrospectionReply = ActiveToken | InactiveToken;

/**
 * What is said of a token. Requires that the caller was authenticated and may know.
 * @param claims of a token that has been verified, its audience aside; undefined for one that was refused.
 * @param state whether the lease lives. What is not known is not active.
 */
export function introspectionReply(
  claims: AccessTokenClaims | undefined,
  state: 'live' | 'dead' | 'unknown',
  nowMs: number,
): IntrospectionReply {
  if (claims === undefined || state !== 'live' || nowMs >= claims.exp * 1000) return { active: false };
  const { status: _status, ...said } = claims;
  return { active: true, token_type: 'DPoP', ...said };
}
