/**
 * Whom a verifier trusts: the keys of logs, in the text of C2SP tlog-policy. Of that, `log <vkey> [url]` lines and `quorum none`
 * are read; a file that demands witnesses is not half obeyed.
 */
import { BundleError } from './errors.js';
import { claimedHead, openHead, parseVerifier, type NoteVerifier, type SignedHead } from './merkle.js';

const MAX_CHARS = 65_536;

export interface Trust {
  /** The keys of each log, by its origin: after a rotation it has several. */
  readonly logs: ReadonlyMap<string, readonly NoteVerifier[]>;
}

/** @throws BundleError ERR_TRUST_MALFORMED, ERR_TRUST_UNSUPPORTED */
export function parseTrust(text: string): Trust {
  const malformed = (cause?: unknown) => new BundleError('ERR_TRUST_MALFORMED', 'trust file', { cause });
  if (text.length > MAX_CHARS) throw malformed();
  const logs = new Map<string, NoteVerifier[]>();
  for (const line of text.split('\n')) {
    const [keyword = '', ...words] = line.trim().split(/[ \t]+/);
    if (keyword === '' || keyword.startsWith('#')) continue;
    if (keyword === 'quorum' && words.join(' ') === 'none') continue;
    if (['witness', 'group', 'quorum'].includes(keyword))
      throw new BundleError('ERR_TRUST_UNSUPPORTED', 'trust file');
    if (keyword !== 'log' || words.length < 1 || words.length > 2) throw malformed();
    try {
      const verifier = parseVerifier(words[0] ?? '');
      logs.set(verifier.name, [...(logs.get(verifier.name) ?? []), verifier]);
    } catch (cause) {
      throw malformed(cause);
    }
  }
  if (logs.size === 0) throw malformed();
  return { logs };
}

/** A checkpoint that a trusted log signed. @throws MerkleError; BundleError ERR_BUNDLE_LOG_UNKNOWN */
export function openTrusted(note: string, trust: Trust, place: string): SignedHead {
  const { origin } = claimedHead(note);
  const verifiers = trust.logs.get(origin);
  if (verifiers === undefined) throw new BundleError('ERR_BUNDLE_LOG_UNKNOWN', place);
  return openHead(note, origin, verifiers);
}
