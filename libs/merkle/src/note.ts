/**
 * Signed notes (C2SP signed-note v1.0.0): a text that ends in a newline, a blank line, and one line for each signature,
 * `— <key name> base64(key id ‖ signature)`. Signatures of unknown keys are skipped, so keys can be rotated and witnesses added.
 */
import { fromBase64, toBase64 } from './base64.js';
import { concat, readUint32, uint32, utf8 } from './bytes.js';
import { MerkleError } from './errors.js';
import { isKeyName } from './key-text.js';
import type { NoteSigner, NoteVerifier } from './note-key.js';

/** Limits of one note; the specification asks for at least 16 signatures. */
export const NOTE_LIMITS = { bytes: 1_000_000, signatures: 100 } as const;

const EM_DASH = '\u2014';
const SEPARATOR = '\n\n';
const KEY_ID_BYTES = 4;

/** One signature line. Parsed only: `keyId` and `signature` prove nothing until they are verified. */
export interface NoteSignature {
  name: string;
  keyId: number;
  signature: Uint8Array;
}

/** A signature that verified under one of the keys that were given. */
export interface VerifiedSignature {
  key: NoteVerifier;
  signature: Uint8Array;
}

/** A note at least one of whose signatures was verified, and none of whose known signatures failed. */
export interface OpenedNote {
  text: string;
  /** One a key: its first. */
  verified: VerifiedSignature[];
  /** How many lines were signed by keys nobody gave us, or by algorithms we do not know. */
  unknown: number;
}

/**
 * Several signers while a key is changed: verifiers that know the old one or the new one will open it.
 * @throws MerkleError ERR_NOTE_MALFORMED if the text does not end in a newline, holds another control character, or nobody signs.
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !isNoteText(text)) throw malformed('not a text that a note can hold');
  if (signers.length === 0) throw malformed('a note needs a signature');
  const bytes = utf8(text);
  const lines = signers.map((signer) => signatureLine(signer.name, signer.keyId, signer.sign(bytes)));
  return `${text}\n${lines.join('')}`;
}

/** The line of one signature, with its newline. */
export const signatureLine = (name: string, keyId: number, signature: Uint8Array): string =>
  `${EM_DASH} ${name} ${toBase64(concat(uint32(keyId), signature))}\n`;

/** Text and signature lines. Nothing is verified. @throws MerkleError ERR_NOTE_MALFORMED. */
export function parseNote(note: string): { text: string; signatures: NoteSignature[] } {
  if (note.length > NOTE_LIMITS.bytes || utf8(note).length > NOTE_LIMITS.bytes)
    throw malformed('the note is too large');
  if (!isNoteText(note)) throw malformed('the note holds a control character or is no UTF-8');
  // The text may hold blank lines itself, so it ends at the last one.
  const at = note.lastIndexOf(SEPARATOR);
  if (at < 0) throw malformed('the note has no signature');
  return { text: note.slice(0, at + 1), signatures: parseSignatures(note.slice(at + SEPARATOR.length)) };
}

/** Signature lines alone, as a witness answers with. Nothing is verified. @throws MerkleError ERR_NOTE_MALFORMED. */
export function parseSignatures(lines: string): NoteSignature[] {
  if (!lines.endsWith('\n')) throw malformed('the note has no signature');
  const rows = lines.slice(0, -1).split('\n');
  if (rows.length > NOTE_LIMITS.signatures) throw malformed('the note has too many signatures');
  return rows.map(parseLine);
}

/**
 * The text of a note, verified.
 * @throws MerkleError ERR_NOTE_MALFORMED; ERR_NOTE_SIGNATURE_INVALID if the signature of any given key does not verify
 * (whatever the others say); ERR_NOTE_UNTRUSTED if none of the given keys signed.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  return { text, ...verifySignatures(text, signatures, verifiers) };
}

/** Signatures of a text, verified. @throws MerkleError ERR_NOTE_SIGNATURE_INVALID, ERR_NOTE_UNTRUSTED as `openNote`. */
export function verifySignatures(
  text: string,
  signatures: readonly NoteSignature[],
  verifiers: readonly NoteVerifier[],
): Omit<OpenedNote, 'text'> {
  const bytes = utf8(text);
  const verified = new Map<NoteVerifier, VerifiedSignature>();
  let unknown = 0;
  for (const { name, keyId, signature } of signatures) {
    const key = verifiers.find((known) => known.name === name && known.keyId === keyId);
    if (key === undefined) {
      unknown += 1;
      continue;
    }
    if (!key.verify(bytes, signature))
      throw new MerkleError('ERR_NOTE_SIGNATURE_INVALID', 'a signature does not verify');
    if (!verified.has(key)) verified.set(key, { key, signature });
  }
  if (verified.size === 0) throw new MerkleError('ERR_NOTE_UNTRUSTED', 'no given key signed the note');
  return { verified: [...verified.values()], unknown };
}

function parseLine(line: string): NoteSignature {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = fromBase64(encoded);
  if (dash !== EM_DASH || !isKeyName(name) || more.length > 0)
    throw malformed('a signature line is malformed');
  if (bytes === undefined || bytes.length <= KEY_ID_BYTES) throw malformed('a signature line is malformed');
  return { name, keyId: readUint32(bytes), signature: bytes.subarray(KEY_ID_BYTES) };
}

/** Valid Unicode, and below U+0020 only newlines. */
function isNoteText(text: string): boolean {
  if (!text.isWellFormed()) return false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code < 0x20 && code !== 0x0a) return false;
  }
  return true;
}

const malformed = (message: string): MerkleError => new MerkleError('ERR_NOTE_MALFORMED', message);
