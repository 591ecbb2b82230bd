/** Whom a verifier trusts: logs, and how many witnesses must have seen their heads, in the text of C2SP tlog-policy. */
import { parseTrustPolicy } from '#merkle/node/keys.js';
import type { TrustPolicy } from '#merkle/trust-policy.js';
import { BundleError } from './errors.js';
import { claimedHead, MerkleError, openHead, type SignedHead } from './merkle.js';

const MAX_CHARS = 65_536;

export type Trust = TrustPolicy;

/** @throws BundleError ERR_TRUST_MALFORMED; the place is the file, and the line where it is known. */
export function parseTrust(text: string): Trust {
  if (text.length > MAX_CHARS) throw new BundleError('ERR_TRUST_MALFORMED', 'trust file');
  try {
    const trust = parseTrustPolicy(text);
    if (trust.logs.length > 0) return trust;
  } catch (cause) {
    if (!(cause instanceof MerkleError)) throw cause;
    const { line } = cause.fields;
    const place = line === undefined ? 'trust file' : `trust file, line ${line}`;
    throw new BundleError('ERR_TRUST_MALFORMED', place, { cause });
  }
  throw new BundleError('ERR_TRUST_MALFORMED', 'trust file');
}

/** A checkpoint that a trusted log signed, and enough witnesses saw. @throws MerkleError; BundleError ERR_BUNDLE_LOG_UNKNOWN */
export function openTrusted(note: string, trust: Trust, place: string): SignedHead {
  const { origin } = claimedHead(note);
  if (!trust.logs.some(({ key }) => key.name === origin))
    throw new BundleError('ERR_BUNDLE_LOG_UNKNOWN', place);
  return openHead(note, trust);
}
