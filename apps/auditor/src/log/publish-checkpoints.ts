/**
 * Checkpoints go to their topic in the order in which they were signed, each once: what was queued last is kept next to the
 * outbox, and moves with it. The signer is on no bus; whoever is handed its checkpoints here has to see that they are of this log.
 */
import { v7 as uuidV7 } from 'uuid';
import type { EventHead } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import { serviceSource } from '#events/services.js';
import { CHECKPOINTS } from '#events/topics.js';
import { isLogKey, parseCheckpointText } from '#merkle/checkpoint.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { openNote } from '#merkle/note.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';
import { keyChangeEntry } from '../leaf/own-entry.js';
import { appendEntries, type NewEntry } from './append.js';
import { keyChanges, type SignedNote } from './key-changes.js';
import { LogError } from './log-error.js';

/** The type of the records on the checkpoints topic; the value is the signed note, as text. */
export const CHECKPOINT_SIGNED = wireType('checkpoint.signed');

/** Of those that wait after a time without an auditor, so many at once. */
const AT_ONCE = 100;

interface Row {
  n: bigint;
  size: bigint;
  note: string;
  /** By the signer's word; null before the signer was a process of its own. */
  vkeys: string[] | null;
}

export interface Published {
  /** What is to be sent. */
  queued: QueuedRecord[];
  /** What the log has to say of other keys. */
  appended: NewEntry[];
}

/**
 * Queues the checkpoints that were not queued yet, and appends an entry for each key that came or went with them. Two auditors
 * at once take turns.
 * @throws LogError ERR_LOG_CHECKPOINT_FOREIGN at one of another log, or that its keys did not sign
 */
export async function publishCheckpoints(db: Database, origin: string): Promise<Published> {
  return transact(db, async (tx) => {
    const { before, rows } = await readUnpublished(tx);
    const sound = soundOnes(rows, origin);
    const last = sound.at(-1);
    if (last === undefined) return { queued: [], appended: [] };
    const nowMs = Date.now();
    const appended = keyChanges(before, sound).map((change) => keyChangeEntry(change, nowMs));
    if (appended.length > 0) await appendEntries(tx, appended);
    await tx.query('UPDATE published_checkpoint SET n = $1', [last.n]);
    const records = sound.map(({ note }) => checkpointRecord(origin, note));
    return { queued: await enqueue(tx, records), appended };
  });
}

/** @returns the next ones, and by which keys the one before them was signed, where that is known */
async function readUnpublished(tx: Tx): Promise<{ before: string[] | undefined; rows: Row[] }> {
  const position = await tx.query<{ n: bigint }>('SELECT n FROM published_checkpoint FOR UPDATE');
  const n = position.rows[0]?.n ?? 0n;
  const { rows } = await tx.query<Row>(
    'SELECT n, size, note, vkeys FROM checkpoint WHERE n >= $1 ORDER BY n LIMIT $2',
    [n, AT_ONCE + 1],
  );
  const before = rows[0]?.n === n ? rows.shift() : undefined;
  return { before: before?.vkeys ?? undefined, rows: rows.slice(0, AT_ONCE) };
}

/** All before the first that is not sound. @throws LogError where that is the first of all */
function soundOnes(rows: readonly Row[], origin: string): SignedNote[] {
  const sound: SignedNote[] = [];
  for (const { n, size, note, vkeys } of rows) {
    try {
      assertSigned(note, vkeys ?? [], { origin, size });
    } catch (cause) {
      if (sound.length > 0) break;
      const message = 'a checkpoint is not of this log, or its keys did not sign it';
      throw new LogError('ERR_LOG_CHECKPOINT_FOREIGN', message, { cause });
    }
    sound.push({ n, note, vkeys: vkeys ?? [] });
  }
  return sound;
}

/** By each of these keys and nobody else, and each the log's. @throws MerkleError, TypeError */
function assertSigned(note: string, vkeys: readonly string[], of: { origin: string; size: bigint }): void {
  const { text, verified, unknown } = openNote(note, vkeys.map(parseVerifier));
  const { origin, size } = parseCheckpointText(text);
  const isBy = verified.length === vkeys.length && unknown === 0;
  if (
    !isBy ||
    origin !== of.origin ||
    size !== of.size ||
    !verified.every(({ key }) => isLogKey(key, origin))
  )
    throw new TypeError('not what the row says of it');
}

function checkpointRecord(origin: string, note: string): UnsignedRecord {
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
