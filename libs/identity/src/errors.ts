/** Broken keys, bundles and files. What a sender got wrong is never thrown: it is a `Refusal`. */
export type IdentityErrorCode =
  | 'ERR_IDENTITY_FILE_UNREADABLE'
  | 'ERR_IDENTITY_KEY_INVALID'
  | 'ERR_IDENTITY_FETCH_FAILED'
  | 'ERR_IDENTITY_BUNDLE_INVALID'
  | 'ERR_IDENTITY_BUNDLE_STALE'
  | 'ERR_IDENTITY_ISSUER_INVALID'
  | 'ERR_IDENTITY_DEVELOPMENT_ONLY'
  | 'ERR_IDENTITY_SVID_REFUSED'
  | 'ERR_IDENTITY_LOGIN_REFUSED'
  | 'ERR_IDENTITY_SEAL_KEY_INVALID';

export class IdentityError extends Error {
  override readonly name = 'IdentityError';
  constructor(
    readonly code: IdentityErrorCode,
    message: string,
    readonly fields: Record<string, string | number> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
