/** Entries that no record caused: what the log has to say about itself. */
import { canonical } from '#events/jcs.js';
import { serviceSource } from '#events/services.js';
import { CHECKPOINTS } from '#events/topics.js';
import { hasher } from '#merkle/node/hasher.js';
import type { NewEntry } from '../log/append.js';
import { newEntryKey } from './keys.js';

/** Records that the bus had deleted before they were read: offsets `[from, to)` of a partition. */
export interface Gap {
  topic: string;
  partition: number;
  from: bigint;
  to: bigint;
}

/** A key that signs checkpoints from now on, or does not any more. */
export interface KeyChange {
  type: typeof KEY_ADDED | typeof KEY_RETIRED;
  vkey: string;
  /** All that sign now. */
  keys: readonly string[];
  /** The first checkpoint that shows it, and its number. */
  note: string;
  n: bigint;
}

/** The log in whose place this one is, as its last good checkpoint has it. */
export interface FormerLog {
  origin: string;
  size: bigint;
  /** In base64. */
  root: string;
  note: string;
}

export const GAP_DETECTED = 'log.gap_detected';
export const KEY_ADDED = 'log.key.added';
export const KEY_RETIRED = 'log.key.retired';
export const LOG_CONTINUED = 'log.continued';
export const OWN_TYPES: readonly string[] = [GAP_DETECTED, KEY_ADDED, KEY_RETIRED, LOG_CONTINUED];

export const gapEntry = ({ topic, partition, from, to }: Gap, nowMs: number): NewEntry =>
  ownEntry(
    { type: GAP_DETECTED, topic, partition, event: { from: String(from), to: String(to) } },
    from,
    nowMs,
  );

export const keyChangeEntry = ({ type, vkey, keys, note, n }: KeyChange, nowMs: number): NewEntry =>
  ownEntry({ ...atCheckpoint(n), type, event: { vkey, keys: [...keys], checkpoint: note } }, n, nowMs);

export const continuedEntry = ({ origin, size, root, note }: FormerLog, nowMs: number): NewEntry =>
  ownEntry(
    {
      ...atCheckpoint(0n),
      type: LOG_CONTINUED,
      event: { origin, size: String(size), root, checkpoint: note },
    },
    0n,
    nowMs,
  );

/** Of a checkpoint's number stands what of a record is its offset. */
const atCheckpoint = (n: bigint) => ({ topic: CHECKPOINTS, partition: 0, offset: String(n) });

interface Said {
  type: string;
  topic: string;
  partition: number;
  offset?: string;
  event: { [member: string]: string | string[] };
}

function ownEntry(said: Said, offset: bigint, nowMs: number): NewEntry {
  const { type, topic, partition } = said;
  const at = new Date(nowMs).toISOString();
  const leaf = Buffer.from(canonical({ v: 1, actor: serviceSource('auditor'), at, ...said }));
  return {
    record: { topic, partition, offset, appendedAtMs: nowMs },
    entry: {
      leaf,
      leafHash: hasher.leaf(leaf),
      admitted: true,
      type,
      taskId: null,
      eventId: null,
      payload: { recordKey: null, headers: null, value: null },
      entryKey: newEntryKey(),
    },
  };
}
