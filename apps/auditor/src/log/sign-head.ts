/**
 * One signed head of the log. It is signed only if it extends the head that was signed last, which is shown from the stored
 * rows each time: a log MUST NOT sign two heads that contradict each other (C2SP tlog-checkpoint).
 */
import { v7 as uuidV7 } from 'uuid';
import type { EventHead } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import { serviceSource } from '#events/services.js';
import { CHECKPOINTS } from '#events/topics.js';
import { rootOf } from '#merkle/compact-range.js';
import { openCheckpoint, signCheckpoint, type Checkpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { verifyConsistency } from '#merkle/verify.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { readHead } from './append.js';
import { LogError } from './log-error.js';
import { readConsistencyProof } from './nodes.js';

export interface SignedHead {
  size: bigint;
  note: string;
  /** The record for the checkpoints topic. */
  queued: QueuedRecord[];
}

/** The type of the records on the checkpoints topic; the value is the signed note, as text. */
export const CHECKPOINT_SIGNED = wireType('checkpoint.signed');

/**
 * Signs the head if it grew, or if the last signature is older than `repeatAfterMs`: silence must be distinguishable from
 * deletion. Checkpoint and outgoing record are one transaction; two auditors at once take turns.
 * @returns undefined if there was nothing to sign.
 * @throws LogError ERR_LOG_INCONSISTENT, ERR_LOG_CHECKPOINT_FOREIGN if the last checkpoint is not of this log and key.
 */
export async function signHead(
  db: Database,
  signer: NoteSigner,
  repeatAfterMs: number,
): Promise<SignedHead | undefined> {
  return transact(db, async (tx) => {
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.checkpoint.' || $1, 0))", [
      db.schema,
    ]);
    const last = await readCheckpoint(tx);
    const head = await readHead(tx);
    if (last !== undefined && last.size === head.size && last.ageMs < repeatAfterMs) return undefined;
    const checkpoint = { origin: signer.name, size: head.size, root: rootOf(hasher, head) };
    if (last !== undefined) await assertExtends(tx, openOwn(last.note, signer), checkpoint);
    const note = signCheckpoint(checkpoint, [signer]);
    await tx.query('INSERT INTO checkpoint (size, note) VALUES ($1, $2)', [head.size, note]);
    return { size: head.size, note, queued: await enqueue(tx, [checkpointRecord(signer.name, note)]) };
  });
}

export interface StoredCheckpoint {
  size: bigint;
  note: string;
  ageMs: number;
}

/** The newest checkpoint. */
export async function readCheckpoint(db: Pick<Tx, 'query'>): Promise<StoredCheckpoint | undefined> {
  const { rows } = await db.query<StoredCheckpoint>(
    `SELECT size, note, (extract(epoch FROM clock_timestamp() - signed_at) * 1000)::float8 AS "ageMs"
       FROM checkpoint ORDER BY size DESC, signed_at DESC LIMIT 1`,
  );
  return rows[0];
}

function openOwn(note: string, signer: NoteSigner): Checkpoint {
  try {
    return openCheckpoint(note, signer.name, [parseVerifier(signer.vkey)]);
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

function checkpointRecord(origin: string, note: string) {
  const head: EventHead = {
    id: uuidV7(),
    source: serviceSource('auditor'),
    type: CHECKPOINT_SIGNED,
    subject: origin,
    time: new Date().toISOString(),
    contentType: 'text/plain; charset=utf-8',
  };
  return { topic: CHECKPOINTS, key: origin, head, value: Buffer.from(note) };
}
