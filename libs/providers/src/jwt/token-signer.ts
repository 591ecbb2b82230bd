/** Who signs tokens. Only the broker has one: in the revoker's process no token can be made. */
import type { AccessTokenClaims } from '#tokens/access-token.js';

export interface TokenSigner {
  /** Name of the issuer, as verifiers know it. */
  readonly issuer: string;
  /**
   * @returns null while there is no key that may sign
   * @throws TypeError for claims that no verifier would accept
   */
  sign(claims: Omit<AccessTokenClaims, 'iss'>): { token: string; kid: string } | null;
}
