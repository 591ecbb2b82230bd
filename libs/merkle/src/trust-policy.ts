/**
 * A verifier's trust file (C2SP tlog-policy): which logs, which witnesses, and how many of them must have seen a checkpoint.
 * Lines `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <member>…`, `quorum <name>|none`.
 */
import { utf8 } from './bytes.js';
import { parseWitness } from './cosignature.js';
import { MerkleError } from './errors.js';
import { parseVerifier, type NoteVerifier } from './note-key.js';
import type { Platform } from './platform.js';

/** The specification asks for at least 32 of each. */
export const TRUST_LIMITS = { bytes: 1_000_000, logs: 100, witnesses: 100, groups: 100 } as const;

export interface TrustedLog {
  /** Its name is the log's origin. */
  key: NoteVerifier;
  /** Opaque here. */
  url?: string;
}

export interface Witness {
  kind: 'witness';
  /** A word of this file only; `key.name` is what notes call the witness. */
  name: string;
  key: NoteVerifier;
  /** Opaque here; by custom the submission prefix of tlog-witness. */
  url?: string;
}

/** Has seen a checkpoint when at least `threshold` of its members have. */
export interface Group {
  kind: 'group';
  name: string;
  threshold: number;
  members: readonly (Witness | Group)[];
}

export interface TrustPolicy {
  /** Any one of them will do. May be empty: then the log is known from elsewhere, and no checkpoint opens under this policy alone. */
  logs: readonly TrustedLog[];
  witnesses: readonly Witness[];
  /** Undefined: none is needed. */
  quorum: Witness | Group | undefined;
}

/** While a file is read: what its lines so far have said. */
interface Draft {
  platform: Platform;
  logs: TrustedLog[];
  witnesses: Witness[];
  groups: number;
  /** Witnesses and groups share their names. */
  named: Map<string, Witness | Group>;
  /** What is a member of some group already: each counts in one way only. */
  members: Set<string>;
  quorum?: { of: Witness | Group | undefined };
}

type Keyword = 'log' | 'witness' | 'group' | 'quorum';
const READ: Record<Keyword, (draft: Draft, words: readonly string[]) => void> = {
  log: readLog,
  witness: readWitness,
  group: readGroup,
  quorum: readQuorum,
};
const NONE = 'none';

/**
 * @param text the file, as UTF-8; names are compared as they are, without any normalisation
 * @throws MerkleError ERR_TRUST_MALFORMED; `fields.line` counts from 1, and is missing for what is wrong with the file as a whole.
 */
export function parseTrustPolicy(platform: Platform, text: string): TrustPolicy {
  if (text.length > TRUST_LIMITS.bytes || utf8(text).length > TRUST_LIMITS.bytes)
    throw malformed('the policy is too large');
  const draft: Draft = {
    platform,
    logs: [],
    witnesses: [],
    groups: 0,
    named: new Map(),
    members: new Set(),
  };
  for (const [at, line] of text.split('\n').entries()) readLine(draft, line, at + 1);
  if (draft.quorum === undefined) throw malformed('the policy names no quorum');
  return { logs: draft.logs, witnesses: draft.witnesses, quorum: draft.quorum.of };
}

function readLine(draft: Draft, line: string, number: number): void {
  try {
    if (!isLine(line)) throw malformed('the line holds a control character or is no UTF-8');
    const [keyword = '', ...words] = line.split(/[ \t]+/).filter((word) => word !== '');
    if (keyword === '' || keyword.startsWith('#')) return;
    if (!Object.hasOwn(READ, keyword)) throw malformed('the line begins with no keyword of policies');
    READ[keyword as Keyword](draft, words);
  } catch (error) {
    if (!(error instanceof MerkleError)) throw error;
    throw new MerkleError('ERR_TRUST_MALFORMED', error.message, { line: number }, { cause: error });
  }
}

function readLog(draft: Draft, words: readonly string[]): void {
  const [vkey, url, ...more] = words;
  if (vkey === undefined || more.length > 0) throw malformed('a log line is a key, and perhaps a URL');
  if (draft.logs.length === TRUST_LIMITS.logs) throw malformed('the policy has too many logs');
  const key = parseVerifier(draft.platform, vkey);
  if (draft.logs.some((log) => isSamePublicKey(log.key, key))) throw malformed('the log is there already');
  draft.logs.push({ key, ...(url === undefined ? {} : { url }) });
}

function readWitness(draft: Draft, words: readonly string[]): void {
  const [name, vkey, url, ...more] = words;
  if (name === undefined || vkey === undefined || more.length > 0)
    throw malformed('a witness line is a name, a key, and perhaps a URL');
  if (draft.witnesses.length === TRUST_LIMITS.witnesses) throw malformed('the policy has too many witnesses');
  const key = parseWitness(draft.platform, vkey);
  if (draft.witnesses.some((witness) => isSamePublicKey(witness.key, key)))
    throw malformed('the witness is there already');
  const witness: Witness = { kind: 'witness', name, key, ...(url === undefined ? {} : { url }) };
  define(draft, witness);
  draft.witnesses.push(witness);
}

function readGroup(draft: Draft, words: readonly string[]): void {
  const [name, threshold, ...names] = words;
  if (name === undefined || threshold === undefined || names.length === 0)
    throw malformed('a group line is a name, a threshold, and members');
  if (draft.groups === TRUST_LIMITS.groups) throw malformed('the policy has too many groups');
  const members = names.map((member) => {
    if (draft.members.has(member)) throw malformed('a member is in a group already');
    draft.members.add(member);
    return defined(draft, member);
  });
  define(draft, { kind: 'group', name, threshold: thresholdOf(threshold, members.length), members });
  draft.groups += 1;
}

function readQuorum(draft: Draft, words: readonly string[]): void {
  const [name, ...more] = words;
  if (name === undefined || more.length > 0) throw malformed('a quorum line is one name');
  if (draft.quorum !== undefined) throw malformed('the policy names a second quorum');
  draft.quorum = { of: name === NONE ? undefined : defined(draft, name) };
}

function thresholdOf(word: string, members: number): number {
  if (word === 'any') return 1;
  if (word === 'all') return members;
  const threshold = /^[1-9][0-9]{0,5}$/.test(word) ? Number(word) : 0;
  if (threshold < 1 || threshold > members) throw malformed('the threshold is not between 1 and the members');
  return threshold;
}

function define(draft: Draft, each: Witness | Group): void {
  if (each.name === NONE) throw malformed('the name stands for no witness at all');
  if (draft.named.has(each.name)) throw malformed('the name is there already');
  draft.named.set(each.name, each);
}

function defined(draft: Draft, name: string): Witness | Group {
  const found = draft.named.get(name);
  if (found === undefined) throw malformed('no line above defines the name');
  return found;
}

/** Keys are the same under any name: whoever holds one could sign for both. */
const isSamePublicKey = (a: NoteVerifier, b: NoteVerifier): boolean =>
  a.publicKey.every((byte, at) => byte === b.publicKey[at]);

/** Of the control characters only the tab. U+FFFD is what a decoder makes of bytes that are no UTF-8. */
const isLine = (line: string): boolean =>
  line.isWellFormed() && !/[^\t\u0020-\u007e\u0080-\ufffc\ufffe-\u{10ffff}]/u.test(line);

const malformed = (message: string): MerkleError => new MerkleError('ERR_TRUST_MALFORMED', message);
