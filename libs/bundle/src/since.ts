/** Does the log of a bundle extend a head that somebody kept? Whoever rewrites a log and signs it anew is caught here, and nowhere else. */
import type { BundleErrorCode } from './errors.js';
import type { Manifest } from './manifest.js';
import { EMPTY_ROOT, extendsHead, sameHash, type Checkpoint, type Hash } from './merkle.js';

/**
 * @param now the signed head that the bundle's hashes gave
 * @param rootThen the root at the earlier size out of the bundle's own entries, if they reach it
 * @returns undefined if it does
 */
export function judgeSince(
  then: Checkpoint,
  now: Checkpoint,
  { proof }: Manifest,
  rootThen: Hash | undefined,
): BundleErrorCode | undefined {
  if (then.origin !== now.origin) return 'ERR_BUNDLE_SINCE_OTHER_LOG';
  if (then.size > now.size) return 'ERR_BUNDLE_SINCE_NEWER';
  const isExtended = (extended: boolean) => (extended ? undefined : 'ERR_BUNDLE_LOG_REWRITTEN');
  if (then.size === now.size) return isExtended(sameHash(then.root, now.root));
  if (then.size === 0n) return isExtended(sameHash(then.root, EMPTY_ROOT));
  if (rootThen !== undefined) return isExtended(sameHash(then.root, rootThen));
  if (proof.since === undefined || BigInt(proof.since.size) !== then.size) return 'ERR_BUNDLE_SINCE_UNPROVEN';
  return isExtended(extendsHead(then, now, proof.since.hashes));
}
