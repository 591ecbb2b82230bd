/** What a witness says to a checkpoint (C2SP tlog-witness v1.0.0): the whole decision, without the key, the store and HTTP. */
import type { AddCheckpoint } from './add-checkpoint.js';
import { openCheckpoint, parseCheckpointText, type Checkpoint } from './checkpoint.js';
import { MerkleError } from './errors.js';
import { sameHash, type TreeHasher } from './hash.js';
import { parseNote } from './note.js';
import type { NoteVerifier } from './note-key.js';
import { verifyConsistency } from './verify.js';

/** A log that the witness watches. */
export interface WatchedLog {
  origin: string;
  verifiers: readonly NoteVerifier[];
  /** What the witness cosigned last. */
  latest?: { size: bigint; root: Uint8Array };
}

/** `status` is HTTP's. 200: cosign `text`, but only once `checkpoint` is stored as the latest, in one step with this look at it. */
export type WitnessVerdict =
  | { status: 200; checkpoint: Checkpoint; text: string }
  | { status: 400 | 403 | 404 | 422 }
  /** The body of the answer is the size, as `text/x.tlog.size`. */
  | { status: 409; latestSize: bigint };

/** @param logOf by origin; undefined for a log that nobody watches */
export function judgeAddCheckpoint(
  hasher: TreeHasher,
  { oldSize, proof, checkpoint: note }: AddCheckpoint,
  logOf: (origin: string) => WatchedLog | undefined,
): WitnessVerdict {
  const claimed = claimedBy(note);
  if (claimed === undefined) return { status: 400 };
  const log = logOf(claimed.origin);
  if (log === undefined) return { status: 404 };
  const checkpoint = openedBy(log, note);
  if (checkpoint === undefined) return { status: 403 };

  const { size, root } = checkpoint;
  if (oldSize > size) return { status: 400 };
  const latestSize = log.latest?.size ?? 0n;
  if (oldSize !== latestSize) return { status: 409, latestSize };
  // Nothing follows from an empty tree, so there is nothing to prove; and unequal roots of one size are a split view.
  if (log.latest === undefined || latestSize === 0n) {
    if (proof.length > 0) return { status: 422 };
  } else if (size === latestSize && !sameHash(root, log.latest.root)) {
    return { status: 409, latestSize };
  } else {
    const claim = { size1: latestSize, size2: size, root1: log.latest.root, root2: root, proof };
    if (!verifyConsistency(hasher, claim).ok) return { status: 422 };
  }
  return { status: 200, checkpoint, text: parseNote(note).text };
}

/** Nothing is verified. */
function claimedBy(note: string): Checkpoint | undefined {
  return orUndefined(() => parseCheckpointText(parseNote(note).text));
}

const openedBy = ({ origin, verifiers }: WatchedLog, note: string): Checkpoint | undefined =>
  orUndefined(() => openCheckpoint(note, origin, verifiers));

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MerkleError) return undefined;
    throw error;
  }
}
