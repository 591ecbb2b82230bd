/**
 * C2SP tlog-witness v1.0.0, `POST <prefix>/add-checkpoint`: what a log asks a witness, and what of the answer it may keep.
 * The body is `old <size>`, a consistency proof from there, a blank line, and the checkpoint's signed note.
 */
import { fromBase64, fromDecimal, toBase64 } from './base64.js';
import { utf8 } from './bytes.js';
import { MerkleError } from './errors.js';
import { isHash, type Hash } from './hash.js';
import { NOTE_LIMITS, parseNote, parseSignatures, signatureLine, verifySignatures } from './note.js';
import type { NoteVerifier } from './note-key.js';

/** As the specification says, and as many as a tree has levels. */
const MAX_HASHES = 63;
const MAX_BYTES = 2 * NOTE_LIMITS.bytes;

export interface AddCheckpoint {
  /** Of the checkpoint that the witness cosigned last; 0 if the log does not know of any. */
  oldSize: bigint;
  /** From the old size to that of the checkpoint; empty from size 0 on. */
  proof: readonly Hash[];
  /** The checkpoint's signed note, verbatim. */
  checkpoint: string;
}

export const formatAddCheckpoint = ({ oldSize, proof, checkpoint }: AddCheckpoint): string =>
  `${[`old ${oldSize}`, ...proof.map(toBase64)].join('\n')}\n\n${checkpoint}`;

/** Reads the body; nothing is verified. @throws MerkleError ERR_WITNESS_REQUEST. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  if (body.length > MAX_BYTES || utf8(body).length > MAX_BYTES) throw malformed('the request is too large');
  // The note holds a blank line too, so the proof ends at the first one.
  const at = body.indexOf('\n\n');
  if (at < 0) throw malformed('the request holds no checkpoint');
  const [first = '', ...lines] = body.slice(0, at).split('\n');
  const oldSize = first.startsWith('old ') ? fromDecimal(first.slice('old '.length)) : undefined;
  if (oldSize === undefined) throw malformed('the old size is malformed');
  if (lines.length > MAX_HASHES) throw malformed('the proof is too long');
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash === undefined || !isHash(hash)) throw malformed('a hash is malformed');
    return hash;
  });
  return { oldSize, proof, checkpoint: body.slice(at + 2) };
}

/**
 * The checkpoint with the cosignatures that verify; what else the answer holds is dropped.
 * @param answer signature lines @param witnesses whose cosignatures are wanted
 * @throws MerkleError ERR_NOTE_MALFORMED, ERR_NOTE_SIGNATURE_INVALID, ERR_NOTE_UNTRUSTED if none of them answered.
 */
export function withCosignatures(
  checkpoint: string,
  answer: string,
  witnesses: readonly NoteVerifier[],
): string {
  const { text } = parseNote(checkpoint);
  const { verified } = verifySignatures(text, parseSignatures(answer), witnesses);
  return (
    checkpoint + verified.map(({ key, signature }) => signatureLine(key.name, key.keyId, signature)).join('')
  );
}

const malformed = (message: string): MerkleError => new MerkleError('ERR_WITNESS_REQUEST', message);
