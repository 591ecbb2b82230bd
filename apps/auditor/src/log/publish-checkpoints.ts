/**
 * Checkpoints go to their topic in the order in which they were signed, each once: what was queued last is kept next to the
 * outbox, and moves with it. The signer is on no bus; whoever is handed its checkpoints here has to see that they are of this log.
 */
import { v7 as uuidV7 } from 'uuid';
import type { EventHead } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import { serviceSource } from '#events/services.js';
import { CHECKPOINTS } from '#events/topics.js';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';
import { LogError } from './log-error.js';

/** The type of the records on the checkpoints topic; the value is the signed note, as text. */
export const CHECKPOINT_SIGNED = wireType('checkpoint.signed');

/** Of those that wait after a time without an auditor, so many at once. */
const AT_ONCE = 100;

interface SignedNote {
  n: bigint;
  note: string;
  /** The public keys that signed, by the signer's word; null before they were told. */
  vkeys: string[] | null;
}

/**
 * Queues the checkpoints that were not queued yet. Two auditors at once take turns.
 * @returns what is to be sent
 * @throws LogError ERR_LOG_CHECKPOINT_FOREIGN at one of another log, or that its keys did not sign
 */
export async function publishCheckpoints(db: Database, origin: string): Promise<QueuedRecord[]> {
  return transact(db, async (tx) => {
    const sound = soundOnes(await readUnpublished(tx), origin);
    const last = sound.at(-1);
    if (last === undefined) return [];
    await tx.query('UPDATE published_checkpoint SET n = $1', [last.n]);
    return await enqueue(
      tx,
      sound.map(({ note }) => checkpointRecord(origin, note)),
    );
  });
}

async function readUnpublished(tx: Tx): Promise<SignedNote[]> {
  const position = await tx.query<{ n: bigint }>('SELECT n FROM published_checkpoint FOR UPDATE');
  const { rows } = await tx.query<SignedNote>(
    'SELECT n, note, vkeys FROM checkpoint WHERE n > $1 ORDER BY n LIMIT $2',
    [position.rows[0]?.n ?? 0n, AT_ONCE],
  );
  return rows;
}

/** All before the first that is not sound. @throws LogError where that is the first of all */
function soundOnes(unpublished: readonly SignedNote[], origin: string): SignedNote[] {
  const sound: SignedNote[] = [];
  for (const signed of unpublished) {
    const { note, vkeys } = signed;
    try {
      openCheckpoint(note, origin, (vkeys ?? []).map(parseVerifier));
    } catch (cause) {
      if (sound.length > 0) break;
      const message = 'a checkpoint is not of this log, or its keys did not sign it';
      throw new LogError('ERR_LOG_CHECKPOINT_FOREIGN', message, { cause });
    }
    sound.push(signed);
  }
  return sound;
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
