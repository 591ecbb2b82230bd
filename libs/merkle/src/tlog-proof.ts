/**
 * C2SP tlog-proof v1: one file that proves offline that an entry is in a log. It is checked with the entry's bytes and the
 * log's public key, or a policy of logs and witnesses, and nothing else.
 */
import { fromBase64, fromDecimal, toBase64 } from './base64.js';
import { utf8 } from './bytes.js';
import { openCheckpoint, type Checkpoint } from './checkpoint.js';
import { MerkleError } from './errors.js';
import { isHash, type Hash, type TreeHasher } from './hash.js';
import { NOTE_LIMITS } from './note.js';
import type { NoteVerifier } from './note-key.js';
import { openCheckpointUnder, type TrustVerdict } from './trust-verdict.js';
import type { TrustPolicy } from './trust-policy.js';
import { verifyInclusion } from './verify.js';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** A tree has at most 63 levels. */
const MAX_HASHES = 63;
const MAX_BYTES = 2 * NOTE_LIMITS.bytes;

export interface TlogProof {
  index: bigint;
  proof: readonly Hash[];
  /** The checkpoint's signed note, verbatim. */
  checkpoint: string;
  /** Opaque and not authenticated. */
  extra?: Uint8Array;
}

export function formatTlogProof({ index, proof, checkpoint, extra }: TlogProof): string {
  const head = [HEADER, ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]), `index ${index}`];
  return `${[...head, ...proof.map(toBase64)].join('\n')}\n\n${checkpoint}`;
}

/** Reads the file; nothing is verified. @throws MerkleError ERR_PROOF_MALFORMED. */
export function parseTlogProof(text: string): TlogProof {
  if (text.length > MAX_BYTES || utf8(text).length > MAX_BYTES) throw malformed('the proof is too large');
  // The checkpoint holds blank lines too, so the proof ends at the first one.
  const at = text.indexOf('\n\n');
  if (at < 0) throw malformed('the proof holds no checkpoint');
  const [header, ...lines] = text.slice(0, at).split('\n');
  if (header !== HEADER) throw malformed('another kind of proof');
  let extra: Uint8Array | undefined;
  if (lines[0]?.startsWith('extra ') === true) {
    extra = fromBase64((lines.shift() as string).slice('extra '.length));
    if (extra === undefined) throw malformed('the extra data is malformed');
  }
  const indexLine = lines.shift() ?? '';
  const index = indexLine.startsWith('index ') ? fromDecimal(indexLine.slice('index '.length)) : undefined;
  if (index === undefined) throw malformed('the index is malformed');
  if (lines.length > MAX_HASHES) throw malformed('the proof is too long');
  const proof = lines.map((line) => {
    const hash = fromBase64(line);
    if (hash === undefined || !isHash(hash)) throw malformed('a hash is malformed');
    return hash;
  });
  const checkpoint = text.slice(at + 2);
  return { index, proof, checkpoint, ...(extra === undefined ? {} : { extra }) };
}

/**
 * Proves that these bytes are the entry at the index the file names. The result has been verified.
 * @throws MerkleError ERR_PROOF_…, ERR_ROOT_MISMATCH, and all of `openCheckpoint`.
 */
export function verifyTlogProof(
  hasher: TreeHasher,
  text: string,
  entry: Uint8Array,
  log: { origin: string; verifiers: readonly NoteVerifier[] },
): { index: bigint; checkpoint: Checkpoint } {
  const parsed = parseTlogProof(text);
  const checkpoint = openCheckpoint(parsed.checkpoint, log.origin, log.verifiers);
  assertIncluded(hasher, parsed, entry, checkpoint);
  return { index: parsed.index, checkpoint };
}

/**
 * The same under a trust file: its logs, and as many of its witnesses as it asks for.
 * @throws MerkleError ERR_PROOF_…, ERR_ROOT_MISMATCH, and all of `openCheckpointUnder`.
 */
export function verifyTlogProofUnder(
  hasher: TreeHasher,
  text: string,
  entry: Uint8Array,
  policy: TrustPolicy,
): TrustVerdict & { index: bigint } {
  const parsed = parseTlogProof(text);
  const verdict = openCheckpointUnder(policy, parsed.checkpoint);
  assertIncluded(hasher, parsed, entry, verdict.checkpoint);
  return { ...verdict, index: parsed.index };
}

function assertIncluded(
  hasher: TreeHasher,
  { index, proof }: TlogProof,
  entry: Uint8Array,
  { size, root }: Checkpoint,
): void {
  const verdict = verifyInclusion(hasher, { index, size, leafHash: hasher.leaf(entry), root, proof });
  if (!verdict.ok) throw new MerkleError(verdict.code, 'the entry is not proven to be in the log');
}

const malformed = (message: string): MerkleError => new MerkleError('ERR_PROOF_MALFORMED', message);
