/** Every way this library refuses. Codes are stable; messages are constant text, so nothing hostile is echoed. */
export type MerkleErrorCode =
  | 'ERR_HASH_INVALID'
  | 'ERR_RANGE_INVALID'
  | 'ERR_TILE_PATH'
  | 'ERR_BUNDLE_MALFORMED'
  | 'ERR_NOTE_MALFORMED'
  | 'ERR_NOTE_KEY_INVALID'
  | 'ERR_NOTE_SIGNATURE_INVALID'
  | 'ERR_NOTE_UNTRUSTED'
  | 'ERR_CHECKPOINT_MALFORMED'
  | 'ERR_CHECKPOINT_ORIGIN'
  | 'ERR_TRUST_MALFORMED'
  | 'ERR_TRUST_QUORUM'
  | 'ERR_WITNESS_REQUEST'
  | 'ERR_PROOF_MALFORMED'
  | 'ERR_PROOF_INDEX'
  | 'ERR_PROOF_LENGTH'
  | 'ERR_ROOT_MISMATCH';

export class MerkleError extends Error {
  override readonly name = 'MerkleError';
  constructor(
    readonly code: MerkleErrorCode,
    message: string,
    /** What varies: where in a text, never what it says. */
    readonly fields: Readonly<Record<string, number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
