/**
 * What verifiers are told: one record per key, which only grows, and their sum. `seq` never decreases on the topic, so its row
 * is locked from here to the commit: write revocations last.
 */
import { createHash } from 'node:crypto';
import { revocationKey, type RevokedKind } from '#events/revocations.js';
import type { Tx } from '#store/database.js';
import type { UnsignedRecord } from '#store/outbox.js';
import type { Write } from '#store/writes.js';
import { heartbeatRecord, revocationRecord } from './publish.js';

export interface RevocationNotice {
  what: RevokedKind;
  id: string;
  /** What is dead: all below it, or everything (null). */
  generationBelow: number | null;
  /** After it, nothing of this could be valid any more. */
  notAfterMs: number;
  reason: string;
  /** `ce_id` of the record that led to it. */
  causedBy: string | null;
}

/** How long verifiers may still be reading a record after its own end. */
const GRACE_MS = 60_000;
const BEAT_EVERY_MS = 1_000;

interface Sum {
  seq: bigint;
  live: bigint;
  digest: Buffer;
}

/** SHA-256(key ‖ 0x00 ‖ value), as verifiers sum up what they hold. */
export const digestOf = (key: string, value: Buffer) =>
  createHash('sha256').update(key).update(Buffer.of(0)).update(value).digest();

export function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}

export async function lockSum(tx: Tx): Promise<Sum> {
  const { rows } = await tx.query<Sum>({
    name: 'lock-revocation-seq',
    text: 'SELECT seq, live, set_digest AS digest FROM revocation_seq FOR UPDATE',
  });
  const [sum] = rows;
  if (sum === undefined) throw new Error('the revocation counter is missing');
  return sum;
}

export interface Stored {
  key: string;
  generationBelow: number | null;
  notAfter: Date;
  value: Buffer;
  /** As in the value. */
  seq: bigint;
  causedBy: string | null;
}

/** What is to be told, and the rows that remember it: to be written with the records, in one statement (`enqueueWith`). */
export interface ToTell {
  writes: Write[];
  records: UnsignedRecord[];
}

const NOTHING: ToTell = { writes: [], records: [] };

/** The sum, and what was said before under some keys. */
export interface SaidBefore {
  sum: Sum;
  keys: ReadonlySet<string>;
  rows: readonly Stored[];
}

/** Locks the sum until the commit: no task may be locked after it. */
export async function lockSaid(
  tx: Tx,
  about: readonly Pick<RevocationNotice, 'what' | 'id'>[],
): Promise<SaidBefore> {
  const keys = about.map(revocationKey);
  const [sum, rows] = await Promise.all([lockSum(tx), readRevocations(tx, keys)]);
  return { sum, keys: new Set(keys), rows };
}

/** What of it says more than what was said before. */
export async function tellRevocations(
  tx: Tx,
  notices: readonly RevocationNotice[],
  nowMs: number,
): Promise<ToTell> {
  if (notices.length === 0) return NOTHING;
  return toTell(await lockSaid(tx, notices), notices, nowMs);
}

/** As {@link tellRevocations}, where it has been read. Once: it counts on. */
export function toTell(
  { sum, rows }: SaidBefore,
  notices: readonly RevocationNotice[],
  nowMs: number,
): ToTell {
  const stored = new Map(rows.map((row) => [row.key, row]));
  const fresh = new Map<string, Stored>();
  for (const notice of notices) {
    const key = revocationKey(notice);
    const before = stored.get(key);
    if (before !== undefined && !saysMore(notice, before) && !outlives(notice, before)) continue;
    sum.seq += 1n;
    const { what, id, generationBelow, reason } = notice;
    const notAfter = new Date(Math.max(notice.notAfterMs, before?.notAfter.getTime() ?? 0));
    const value = Buffer.from(
      JSON.stringify({
        seq: Number(sum.seq),
        what,
        id,
        generationBelow,
        notAfter: notAfter.toISOString(),
        reason,
      }),
    );
    if (before === undefined) sum.live += 1n;
    else sum.digest = xor(sum.digest, digestOf(key, before.value));
    sum.digest = xor(sum.digest, digestOf(key, value));
    const now = { key, generationBelow, notAfter, value, seq: sum.seq, causedBy: notice.causedBy };
    stored.set(key, now);
    // One record per key and commit: set again, it goes last.
    fresh.delete(key);
    fresh.set(key, now);
  }
  if (fresh.size === 0) return NOTHING;
  return {
    writes: saved(sum, [...fresh.values()]),
    records: [...fresh.values()].map(({ key, value }) => revocationRecord(key, value, nowMs)),
  };
}

export function saysMore(
  notice: Pick<RevocationNotice, 'generationBelow'>,
  before: Pick<Stored, 'generationBelow'>,
): boolean {
  if (before.generationBelow === null) return false;
  return notice.generationBelow === null || notice.generationBelow > before.generationBelow;
}

/** A renewal was heard of after the end of its lease. A task's record lasts as long as anything under it may, from the start. */
const outlives = ({ what, notAfterMs }: RevocationNotice, before: Pick<Stored, 'notAfter'>): boolean =>
  what === 'lease' && notAfterMs > before.notAfter.getTime();

export async function readRevocations(tx: Tx, keys: readonly string[]): Promise<Stored[]> {
  const { rows } = await tx.query<Stored>({
    name: 'read-revocations',
    text: `SELECT key, generation_below AS "generationBelow", not_after AS "notAfter", value, seq, caused_by AS "causedBy"
             FROM revocation WHERE key = ANY($1::text[])`,
    values: [keys],
  });
  return rows;
}

/** Requires the lock of the sum. */
export const saved = (sum: Sum, rows: readonly Stored[]): Write[] =>
  rows.length === 0 ? [sumWrite(sum)] : [rowsWrite(rows), sumWrite(sum)];

const sumWrite = ({ seq, live, digest }: Sum): Write => ({
  sql: 'UPDATE revocation_seq SET seq = $1::bigint, live = $2::bigint, set_digest = $3::bytea',
  values: [seq, live, digest],
});

const rowsWrite = (rows: readonly Stored[]): Write => ({
  sql: `INSERT INTO revocation (key, generation_below, not_after, value, seq, caused_by)
          SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::bytea[], $5::bigint[], $6::text[])
        ON CONFLICT (key) DO UPDATE SET
          generation_below = excluded.generation_below, not_after = excluded.not_after, value = excluded.value,
          seq = excluded.seq, caused_by = excluded.caused_by`,
  values: [
    rows.map((row) => row.key),
    rows.map((row) => row.generationBelow),
    rows.map((row) => row.notAfter.toISOString()),
    rows.map((row) => row.value),
    rows.map((row) => row.seq),
    rows.map((row) => row.causedBy),
  ],
});

/** Where this service has read up to: topic → partition → next offset. */
async function inputsReadUpTo(tx: Tx, group: string): Promise<Record<string, Record<string, string>>> {
  const { rows } = await tx.query<{ topic: string; partition: number; next: bigint }>({
    name: 'read-inputs',
    text: 'SELECT topic, partition, next FROM bus_offset WHERE consumer_group = $1 ORDER BY topic, partition',
    values: [group],
  });
  const inputs: Record<string, Record<string, string>> = {};
  for (const { topic, partition, next } of rows) (inputs[topic] ??= {})[partition] = String(next);
  return inputs;
}

/**
 * Once a second, by whichever process comes first: takes records away that are over, and tells verifiers the sum of the rest.
 * @returns nothing when another process has just done so.
 */
export async function beat(tx: Tx, group: string, nowMs: number): Promise<ToTell> {
  const { rowCount } = await tx.query({
    name: 'take-beat',
    text: 'UPDATE revocation_seq SET beat_at = $1 WHERE beat_at <= $2',
    values: [new Date(nowMs).toISOString(), new Date(nowMs - BEAT_EVERY_MS * 0.9).toISOString()],
  });
  if (rowCount === 0) return NOTHING;
  const sum = await lockSum(tx);
  const { rows: over } = await tx.query<{ key: string; value: Buffer }>({
    name: 'drop-revocations',
    text: `DELETE FROM revocation WHERE key IN (SELECT key FROM revocation WHERE not_after < $1 LIMIT 1000)
           RETURNING key, value`,
    values: [new Date(nowMs - GRACE_MS).toISOString()],
  });
  for (const { key, value } of over) sum.digest = xor(sum.digest, digestOf(key, value));
  sum.live -= BigInt(over.length);
  sum.seq += 1n;
  const inputs = await inputsReadUpTo(tx, group);
  return {
    writes: saved(sum, []),
    records: [
      ...over.map(({ key }) => revocationRecord(key, null, nowMs)),
      heartbeatRecord(
        {
          seq: Number(sum.seq),
          at: new Date(nowMs).toISOString(),
          inputsReadUpTo: inputs,
          live: Number(sum.live),
          setDigest: sum.digest.toString('hex'),
        },
        nowMs,
      ),
    ],
  };
}
