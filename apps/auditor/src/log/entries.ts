/** Reading the log. A row shown to somebody is what its leaf says; columns only find it. */
import type { Tx } from '#store/database.js';
import { commitment } from '../leaf/keys.js';
import type { Json } from '../leaf/project.js';

type Reader = Pick<Tx, 'query'>;

export interface StoredEntry {
  seq: bigint;
  leaf: Buffer;
  leafHash: Buffer;
}

export async function readEntry(db: Reader, seq: bigint): Promise<StoredEntry | undefined> {
  const { rows } = await db.query<StoredEntry>(
    'SELECT seq, leaf, leaf_hash AS "leafHash" FROM entry WHERE seq = $1',
    [seq],
  );
  return rows[0];
}

/** The envelope of a leaf. */
export interface Envelope {
  [member: string]: Json | undefined;
  commitments?: { [place: string]: string };
}

export const envelopeOf = (leaf: Buffer): Envelope => JSON.parse(leaf.toString('utf8')) as Envelope;

export interface KeptPayload {
  seq: bigint;
  entryKey: Buffer;
  value: Buffer | null;
}

export async function readPayloads(db: Reader, seqs: readonly bigint[]): Promise<Map<bigint, KeptPayload>> {
  const { rows } = await db.query<KeptPayload>(
    'SELECT seq, entry_key AS "entryKey", value FROM payload WHERE seq = ANY($1::bigint[])',
    [seqs],
  );
  return new Map(rows.map((row) => [row.seq, row]));
}

/**
 * The values behind an entry's commitments, by place, out of its payload. A value that does not match its commitment is
 * left out: what was changed after the fact is not shown as what was recorded.
 */
export function openCommitments(envelope: Envelope, payload: KeptPayload): Map<string, unknown> {
  const opened = new Map<string, unknown>();
  if (payload.value === null) return opened;
  let data: unknown;
  try {
    data = JSON.parse(payload.value.toString('utf8'));
  } catch {
    return opened;
  }
  for (const [place, committed] of Object.entries(envelope.commitments ?? {})) {
    if (!place.startsWith('/')) continue;
    const value = at(data, place);
    if (value !== undefined && commitment(payload.entryKey, place, JSON.stringify(value)) === committed)
      opened.set(place, value);
  }
  return opened;
}

/** Our own places hold no escapes: members come from the rules, and array indices are numbers. */
function at(data: unknown, place: string): unknown {
  let value = data;
  for (const part of place.slice(1).split('/')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}
