/**
 * One signed head of the log. It is signed only if it extends the head that was signed last, which is shown from the stored
 * rows each time: a log MUST NOT sign two heads that contradict each other (C2SP tlog-checkpoint).
 */
import { rootOf } from '#merkle/compact-range.js';
import { openCheckpoint, signCheckpoint, type Checkpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { parseNote } from '#merkle/note.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { verifyConsistency } from '#merkle/verify.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { readHead } from '../log/append.js';
import { readCheckpoint, type StoredCheckpoint } from '../log/checkpoints.js';
import { LogError } from '../log/log-error.js';
import { readConsistencyProof } from '../log/nodes.js';

export interface SignedHead {
  size: bigint;
  note: string;
}

/**
 * Signs the head, with every key, if it grew, if the last signature is older than `repeatAfterMs` (silence must be
 * distinguishable from deletion), or if other keys made it. Two signers at once take turns.
 * @param signers at least one, all named after the log's origin
 * @returns undefined if there was nothing to sign.
 * @throws LogError ERR_LOG_INCONSISTENT, ERR_LOG_CHECKPOINT_FOREIGN if none of the keys signed the last checkpoint, or it is of another log.
 */
export async function signHead(
  db: Database,
  signers: readonly NoteSigner[],
  repeatAfterMs: number,
): Promise<SignedHead | undefined> {
  return transact(db, async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.checkpoint.' || $1, 0))", [
      db.schema,
    ]);
    const last = await readCheckpoint(tx);
    const signed = last === undefined ? undefined : openOwn(last.note, signers);
    const head = await readHead(tx);
    if (last?.size === head.size && last.ageMs < repeatAfterMs && isBy(signers, last)) return undefined;
    const checkpoint = { origin: signers[0]?.name ?? '', size: head.size, root: rootOf(hasher, head) };
    if (signed !== undefined) await assertExtends(tx, signed, checkpoint);
    const note = signCheckpoint(checkpoint, signers);
    await tx.query('INSERT INTO checkpoint (size, note, vkeys) VALUES ($1, $2, $3)', [
      head.size,
      note,
      signers.map(({ vkey }) => vkey),
    ]);
    return { size: head.size, note };
  });
}

/** By all of them, and nobody else. */
function isBy(signers: readonly NoteSigner[], { note }: StoredCheckpoint): boolean {
  const keys = (of: readonly { keyId: number }[]): string =>
    of
      .map(({ keyId }) => keyId)
      .sort()
      .join();
  return keys(parseNote(note).signatures) === keys(signers);
}

/** A key that is left must have signed beside the one that it follows: so the checkpoints themselves say that it is the log's. */
function openOwn(note: string, signers: readonly NoteSigner[]): Checkpoint {
  try {
    const verifiers = signers.map(({ vkey }) => parseVerifier(vkey));
    return openCheckpoint(note, signers[0]?.name ?? '', verifiers);
  } catch (cause) {
    throw new LogError('ERR_LOG_CHECKPOINT_FOREIGN', 'the last checkpoint is not of this log and key', {
      cause,
    });
  }
}

/** Every log extends the empty one, for which no proof exists. */
async function assertExtends(tx: Tx, old: Checkpoint, now: Checkpoint): Promise<void> {
  const inconsistent = () =>
    new LogError('ERR_LOG_INCONSISTENT', 'the log does not extend the head that was signed last');
  if (old.size > now.size) throw inconsistent();
  if (old.size === 0n) return;
  const proof = await readConsistencyProof(tx, old.size, now.size);
  const claim = { size1: old.size, size2: now.size, root1: old.root, root2: now.root, proof };
  if (!verifyConsistency(hasher, claim).ok) throw inconsistent();
}
