/**
 * A log that takes the place of another, whose key is not to be believed any more, says so in its first entry: what that log was
 * when it was last known to be good. Whoever follows the new one can so tell what of the old one still stands.
 */
import { readFile } from 'node:fs/promises';
import { toBase64 } from '#merkle/base64.js';
import { parseCheckpointText } from '#merkle/checkpoint.js';
import { MerkleError } from '#merkle/errors.js';
import { parseNote } from '#merkle/note.js';
import { transact, type Database } from '#store/database.js';
import { continuedEntry, LOG_CONTINUED, type FormerLog } from '../leaf/own-entry.js';
import { SetUpError } from '../set-up-error.js';
import { appendEntries, readHead } from './append.js';
import { envelopeOf, readEntry } from './entries.js';

/** A note of the size that the log itself would store. */
const MAX_NOTE_CHARS = 16_384;

/**
 * The last good checkpoint of the former log. That it is good is the operator's word: `mayfly log key compromised` has verified it.
 * @param origin of the log that begins
 * @throws SetUpError for a file that is no checkpoint of another log
 */
export async function readFormer(file: string, origin: string): Promise<FormerLog> {
  const former = formerOf(await textOf(file));
  if (former.origin === origin)
    throw new SetUpError('a log cannot continue itself: log.continues is a checkpoint of log.origin');
  return former;
}

/** Requires that no other auditor is at work. @throws SetUpError for a log that has begun otherwise */
export async function continueFormer(db: Database, former: FormerLog): Promise<void> {
  const isBegun = await transact(db, async (tx) => {
    if ((await readHead(tx)).size > 0n) return true;
    await appendEntries(tx, [continuedEntry(former, Date.now())]);
    return false;
  });
  if (!isBegun) return;
  const first = await readEntry(db.pool, 0n);
  const { type, event } = first === undefined ? {} : envelopeOf(first.leaf);
  const { checkpoint } = (event ?? {}) as { checkpoint?: unknown };
  if (type !== LOG_CONTINUED || checkpoint !== former.note)
    throw new SetUpError('the log has begun, and not with the checkpoint of log.continues');
}

function formerOf(note: string): FormerLog {
  try {
    const { origin, size, root } = parseCheckpointText(parseNote(note).text);
    return { origin, size, root: toBase64(root), note };
  } catch (cause) {
    if (!(cause instanceof MerkleError)) throw cause;
    throw new SetUpError('the file of log.continues is no checkpoint', { cause });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length <= MAX_NOTE_CHARS) return text;
  } catch (cause) {
    throw new SetUpError('the file of log.continues cannot be read', { cause });
  }
  throw new SetUpError('the file of log.continues is too large for a checkpoint');
}
