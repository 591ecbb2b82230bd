/** Checkpoints, the signed heads of a log (C2SP tlog-checkpoint v1.0.0): a note of origin, size and root. */
import { fromBase64, fromDecimal, toBase64 } from './base64.js';
import { MerkleError } from './errors.js';
import { isHash, type Hash } from './hash.js';
import { openNote, signNote } from './note.js';
import type { NoteSigner, NoteVerifier } from './note-key.js';

export interface Checkpoint {
  /** The log's identity, equal to its key's name. */
  origin: string;
  size: bigint;
  root: Hash;
}

/** @throws MerkleError ERR_CHECKPOINT_MALFORMED for an origin that is no single line, a negative size or a root that is no hash. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (origin === '' || origin.includes('\n') || size < 0n || !isHash(root)) throw malformed();
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** The body of a checkpoint, not verified. Extension lines are allowed and dropped. @throws MerkleError ERR_CHECKPOINT_MALFORMED. */
export function parseCheckpointText(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw malformed();
  const [origin = '', sizeText = '', rootText = '', ...extensions] = text.slice(0, -1).split('\n');
  const size = fromDecimal(sizeText);
  const root = fromBase64(rootText);
  if (origin === '' || size === undefined || root === undefined || !isHash(root)) throw malformed();
  if (extensions.includes('')) throw malformed();
  return { origin, size, root };
}

/** MUST only be called with a head that extends every head signed before with the same key. */
export const signCheckpoint = (checkpoint: Checkpoint, signers: readonly NoteSigner[]): string =>
  signNote(checkpointText(checkpoint), signers);

/**
 * A checkpoint signed by the log: by a key of the log's type whose name is the origin. Witnesses among the verifiers count for
 * nothing here; `openCheckpointUnder` counts them.
 * @throws MerkleError ERR_NOTE_…, ERR_CHECKPOINT_MALFORMED, ERR_CHECKPOINT_ORIGIN if it is of another log or not signed by this one.
 */
export function openCheckpoint(note: string, origin: string, verifiers: readonly NoteVerifier[]): Checkpoint {
  const { text, verified } = openNote(note, verifiers);
  const checkpoint = parseCheckpointText(text);
  if (checkpoint.origin !== origin || !verified.some(({ key }) => isLogKey(key, origin)))
    throw new MerkleError('ERR_CHECKPOINT_ORIGIN', 'not a checkpoint of this log');
  return checkpoint;
}

/** A checkpoint MUST be signed by a key that is named after its origin; a cosignature is another statement. */
export const isLogKey = ({ type, name }: NoteVerifier, origin: string): boolean =>
  type === 'ed25519' && name === origin;

const malformed = (): MerkleError => new MerkleError('ERR_CHECKPOINT_MALFORMED', 'not a checkpoint');
