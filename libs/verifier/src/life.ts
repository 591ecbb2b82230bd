/** Whether a token's lease still lives, and where that is asked: at the revocations topic or at a status list. */
import type { AccessTokenClaims } from '#tokens/access-token.js';

/** A token whose signature has been verified. */
export interface VerifiedToken {
  claims: AccessTokenClaims;
  /** Of the key that signed it. */
  kid: string;
}

/** `unknown`: it was not dead by what was last heard, and that is too long ago. */
export type Life = 'live' | 'dead' | 'unknown';

export interface LifeSource {
  /** MUST answer `live` only for what was not dead some seconds ago, as far as the revoker knew. MUST NOT throw. */
  lifeOf(token: VerifiedToken, nowMs: number): Life | Promise<Life>;
}
