/**
 * Signed notes (C2SP signed-note v1.0.0): a text that ends in a newline, a blank line, and one line for each signature,
 * `— <key name> base64(key id ‖ signature)`. Signatures of unknown keys are skipped, so keys can be rotated and witnesses added.
 */
import { fromBase64, toBase64 } from './base64.js';
import { MerkleError } from './errors.js';
import { isKeyName, type NoteSigner, type NoteVerifier } from './note-key.js';

/** Limits of one note; the specification asks for at least 16 signatures. */
export const NOTE_LIMITS = { bytes: 1_000_000, signatures: 100 } as const;

const EM_DASH = '\u2014';
const SEPARATOR = '\n\n';

/** One signature line. Parsed only: `keyId` and `signature` prove nothing until they are verified. */
export interface NoteSignature {
  name: string;
  keyId: number;
  signature: Uint8Array;
}

/** A note at least one of whose signatures was verified, and none of whose known signatures failed. */
export interface OpenedNote {
  text: string;
  /** Verified signatures, one a key. */
  verified: { name: string; keyId: number }[];
  /** How many lines were signed by keys nobody gave us. */
  unknown: number;
}

const malformed = (message: string): MerkleError => new MerkleError('ERR_NOTE_MALFORMED', message);

/** @throws MerkleError ERR_NOTE_MALFORMED if the text does not end in a newline, holds another control character, or nobody signs. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  if (!text.endsWith('\n') || !isNoteText(text)) throw malformed('not a text that a note can hold');
  if (signers.length === 0) throw malformed('a note needs a signature');
  const bytes = Buffer.from(text);
  const lines = signers.map((signer) => signatureLine(signer.name, signer.keyId, signer.sign(bytes)));
  return `${text}\n${lines.join('')}`;
}

/** The line of one signature, with its newline. */
export function signatureLine(name: string, keyId: number, signature: Uint8Array): string {
  const id = Buffer.alloc(4);
  id.writeUInt32BE(keyId);
  return `${EM_DASH} ${name} ${toBase64(Buffer.concat([id, signature]))}\n`;
}

/** Text and signature lines. Nothing is verified. @throws MerkleError ERR_NOTE_MALFORMED. */
export function parseNote(note: string): { text: string; signatures: NoteSignature[] } {
  if (Buffer.byteLength(note) > NOTE_LIMITS.bytes) throw malformed('the note is too large');
  if (!isNoteText(note)) throw malformed('the note holds a control character or is no UTF-8');
  // The text may hold blank lines itself, so it ends at the last one.
  const at = note.lastIndexOf(SEPARATOR);
  const lines = note.slice(at + SEPARATOR.length);
  if (at < 0 || !lines.endsWith('\n')) throw malformed('the note has no signature');
  const rows = lines.slice(0, -1).split('\n');
  if (rows.length > NOTE_LIMITS.signatures) throw malformed('the note has too many signatures');
  return { text: note.slice(0, at + 1), signatures: rows.map(parseLine) };
}

/**
 * The text of a note, verified.
 * @throws MerkleError ERR_NOTE_MALFORMED; ERR_NOTE_SIGNATURE_INVALID if the signature of any given key does not verify
 * (whatever the others say); ERR_NOTE_UNTRUSTED if none of the given keys signed.
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const { text, signatures } = parseNote(note);
  const bytes = Buffer.from(text);
  const verified = new Map<NoteVerifier, { name: string; keyId: number }>();
  let unknown = 0;
  for (const { name, keyId, signature } of signatures) {
    const verifier = verifiers.find((known) => known.name === name && known.keyId === keyId);
    if (verifier === undefined) {
      unknown += 1;
      continue;
    }
    if (!verifier.verify(bytes, signature))
      throw new MerkleError('ERR_NOTE_SIGNATURE_INVALID', 'a signature does not verify');
    verified.set(verifier, { name, keyId });
  }
  if (verified.size === 0) throw new MerkleError('ERR_NOTE_UNTRUSTED', 'no given key signed the note');
  return { text, verified: [...verified.values()], unknown };
}

function parseLine(line: string): NoteSignature {
  const [dash, name = '', encoded = '', ...more] = line.split(' ');
  const bytes = fromBase64(encoded);
  if (dash !== EM_DASH || !isKeyName(name) || more.length > 0 || bytes === undefined || bytes.length < 5)
    throw malformed('a signature line is malformed');
  return { name, keyId: Buffer.from(bytes).readUInt32BE(0), signature: bytes.subarray(4) };
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
