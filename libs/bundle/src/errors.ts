/** Every way in which a bundle is refused, or cannot be judged. Codes are stable; what a code says is constant text. */
import type { MerkleErrorCode } from './merkle.js';

export type BundleErrorCode =
  | 'ERR_BUNDLE_ARCHIVE'
  | 'ERR_BUNDLE_FILE_UNKNOWN'
  | 'ERR_BUNDLE_FILE_TWICE'
  | 'ERR_BUNDLE_FILE_MISSING'
  | 'ERR_BUNDLE_FILE_ALTERED'
  | 'ERR_BUNDLE_VERSION'
  | 'ERR_BUNDLE_MANIFEST'
  | 'ERR_BUNDLE_LOG_UNKNOWN'
  | 'ERR_BUNDLE_HEAD_MISMATCH'
  | 'ERR_BUNDLE_ENTRY_ALTERED'
  | 'ERR_BUNDLE_ENTRY_MISSING'
  | 'ERR_BUNDLE_ENTRY_SURPLUS'
  | 'ERR_BUNDLE_ROW_ALTERED'
  | 'ERR_BUNDLE_ROOT_MISMATCH'
  | 'ERR_BUNDLE_LOG_REWRITTEN'
  | 'ERR_BUNDLE_SINCE_OTHER_LOG'
  | 'ERR_BUNDLE_SINCE_NEWER'
  | 'ERR_BUNDLE_SINCE_UNPROVEN'
  | 'ERR_TRUST_MALFORMED';

export const WHAT_IS_WRONG: Record<BundleErrorCode, string> = {
  ERR_BUNDLE_ARCHIVE: 'no tar archive of plain files, or one that was cut short',
  ERR_BUNDLE_FILE_UNKNOWN: 'a file that no bundle has',
  ERR_BUNDLE_FILE_TWICE: 'there twice',
  ERR_BUNDLE_FILE_MISSING: 'missing',
  ERR_BUNDLE_FILE_ALTERED: 'not of the size or SHA-256 that the manifest says',
  ERR_BUNDLE_VERSION: 'another version of the format than this verifier knows',
  ERR_BUNDLE_MANIFEST: 'the manifest is malformed or contradicts itself',
  ERR_BUNDLE_LOG_UNKNOWN: 'of a log that the trust file does not name',
  ERR_BUNDLE_HEAD_MISMATCH: 'the manifest does not say what the signed checkpoint says',
  ERR_BUNDLE_ENTRY_ALTERED: 'altered: its bytes do not have the hash that stands in the tree',
  ERR_BUNDLE_ENTRY_MISSING: 'missing',
  ERR_BUNDLE_ENTRY_SURPLUS: 'surplus: the range ends before it',
  ERR_BUNDLE_ROW_ALTERED: 'its row does not say what its leaf says',
  ERR_BUNDLE_ROOT_MISMATCH: 'the hashes do not give the signed root',
  ERR_BUNDLE_LOG_REWRITTEN: 'the log does not extend the earlier checkpoint: it was rewritten',
  ERR_BUNDLE_SINCE_OTHER_LOG: 'the earlier checkpoint is of another log',
  ERR_BUNDLE_SINCE_NEWER: 'the earlier checkpoint is newer than the bundle',
  ERR_BUNDLE_SINCE_UNPROVEN:
    'nothing in the bundle reaches back to the earlier checkpoint: export it with --since',
  ERR_TRUST_MALFORMED: 'the trust file is no policy of C2SP tlog-policy',
};

/** With these nothing was found to be wrong, and nothing to be right. */
export const CANNOT_BE_JUDGED: readonly string[] = [
  'ERR_BUNDLE_VERSION',
  'ERR_BUNDLE_SINCE_NEWER',
  'ERR_BUNDLE_SINCE_UNPROVEN',
  'ERR_TRUST_MALFORMED',
] satisfies BundleErrorCode[];

/** One thing that is wrong. */
export interface Finding {
  code: BundleErrorCode | MerkleErrorCode;
  /** Where: the name of a file of the bundle, or `entry 17`. Never text out of the bundle. */
  place: string;
  /** Of an entry. */
  seq?: number;
}

export class BundleError extends Error {
  override readonly name = 'BundleError';
  constructor(
    readonly code: BundleErrorCode,
    readonly place: string,
    options?: ErrorOptions,
  ) {
    super(`${place}: ${WHAT_IS_WRONG[code]}`, options);
  }
}
