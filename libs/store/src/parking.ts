/**
 * Records that could not be handled, set aside in their own table so that others go on. Order is kept: while a record is
 * parked that holds its key, later records of the key park behind it. What is parked is raw, tokens and all, because it may
 * be handled again; the copy for the dead-letter topic is made in `dead-letter-records.ts`.
 *
 * Lock order: `heldKeys` MUST be the first to lock after the position, so that it waits for a release and never for a task.
 */
import { hash } from 'node:crypto';
import type { BusRecord } from '#bus/bus.js';
import type { Tx } from './database.js';

/** `bug`: handling it failed. `behind`: it waits for one that failed. */
export type ParkedWhy = 'bug' | 'behind';

export interface Letter {
  record: BusRecord;
  why: ParkedWhy;
  /** Of the error: its code, else its name. */
  code: string;
  /** For the operator. Constant text, no secret; cut at 500 characters. */
  detail: string;
  /** Whether later records of its key wait for it: MUST be false unless its sender is authenticated and entitled. */
  holds: boolean;
}

/** Beyond these a record is only copied to the dead-letter topic, and the one it waits for counts it. */
export const PARKING_LIMITS = { perKey: 1_000, total: 100_000 } as const;
export type ParkingLimits = { readonly [L in keyof typeof PARKING_LIMITS]: number };
const DETAIL_CHARS = 500;
const CODE_CHARS = 100;
const KEY_BYTES = 256;

/** Text of a hostile record as a text column can hold it: PostgreSQL has no U+0000. */
export const storable = (raw: Uint8Array | string): string =>
  (typeof raw === 'string' ? raw : Buffer.from(raw).toString()).toWellFormed().replaceAll('\0', '\uFFFD');

export const sha256Hex = (bytes: Uint8Array | string): string => hash('sha256', bytes);

/** A record's key as text. One that is too long for a key of ours stands for itself by its digest. */
export function keyText(key: BusRecord['key']): string {
  if (key === null) return '';
  return key.length > KEY_BYTES ? `sha256:${sha256Hex(key)}` : storable(key);
}

/**
 * Which of these keys (as of `keyText`) have a parked record that holds them. Waits for a release of theirs that runs, and
 * keeps others from starting until the transaction ends: what is parked now will not be overlooked.
 */
export async function heldKeys(tx: Tx, group: string, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set();
  const { rows } = await tx.query<{ key: string }>({
    name: 'held-keys',
    text: `SELECT k.key FROM unnest($2::text[]) AS k(key), LATERAL (
             SELECT id FROM dead_letter
              WHERE consumer_group = $1 AND key_text = k.key AND holds AND settled_at IS NULL
              ORDER BY id LIMIT 1 FOR SHARE) AS first`,
    values: [group, [...new Set(keys)].sort()],
  });
  return new Set(rows.map(({ key }) => key));
}

export interface Parked {
  letter: Letter;
  /** Of its row; null where it was beyond the limit and is on the dead-letter topic only. */
  id: bigint | null;
}

/**
 * Sets records aside, in the order given, which is that in which they are handed out again.
 * One that is known already is left as it is, and left out of the answer.
 */
export async function park(
  tx: Tx,
  group: string,
  letters: readonly Letter[],
  limits: ParkingLimits = PARKING_LIMITS,
): Promise<Parked[]> {
  if (letters.length === 0) return [];
  const fresh = await leaveOutKnown(tx, group, letters);
  const room = await roomFor(tx, group, fresh, limits);
  const kept = fresh.filter((letter) => takesPlace(room, letter));
  const beyond = fresh.filter((letter) => !kept.includes(letter));
  const ids = await insert(tx, group, kept);
  await countPassedOver(tx, group, beyond);
  return fresh.map((letter) => ({ letter, id: ids.get(letter) ?? null }));
}

async function leaveOutKnown(tx: Tx, group: string, letters: readonly Letter[]): Promise<Letter[]> {
  const { rows } = await tx.query<{ n: bigint }>(
    `SELECT r.n FROM unnest($2::text[], $3::int[], $4::bigint[]) WITH ORDINALITY AS r(topic, partition, bus_offset, n)
       JOIN dead_letter USING (topic, partition, bus_offset) WHERE consumer_group = $1`,
    [
      group,
      letters.map(({ record }) => record.topic),
      letters.map(({ record }) => record.partition),
      letters.map(({ record }) => record.offset),
    ],
  );
  const known = new Set(rows.map(({ n }) => Number(n) - 1));
  return letters.filter((_letter, index) => !known.has(index));
}

interface Room {
  total: number;
  ofKey: Map<string, number>;
  limits: ParkingLimits;
}

/** How many more may be parked: counted only as far as the limits reach. */
async function roomFor(
  tx: Tx,
  group: string,
  letters: readonly Letter[],
  limits: ParkingLimits,
): Promise<Room> {
  const keys = [...new Set(letters.map(({ record }) => keyText(record.key)))];
  const { rows } = await tx.query<{ key: string; parked: number; total: number }>(
    `SELECT k.key, t.total,
            (SELECT count(*)::int FROM (SELECT FROM dead_letter
               WHERE consumer_group = $1 AND key_text = k.key AND holds AND settled_at IS NULL LIMIT $3) AS of_key) AS parked
       FROM unnest($2::text[]) AS k(key), (SELECT count(*)::int AS total FROM (SELECT FROM dead_letter
               WHERE consumer_group = $1 AND settled_at IS NULL LIMIT $4) AS all_open) AS t`,
    [group, keys, limits.perKey, limits.total],
  );
  return {
    total: rows[0]?.total ?? 0,
    ofKey: new Map(rows.map(({ key, parked }) => [key, parked])),
    limits,
  };
}

/** One that holds its key and failed is always kept: without it the key would be open, and its order lost. */
function takesPlace(room: Room, { record, why, holds }: Letter): boolean {
  const key = keyText(record.key);
  const ofKey = room.ofKey.get(key) ?? 0;
  const isRoom = room.total < room.limits.total && (!holds || ofKey < room.limits.perKey);
  if (!isRoom && !(holds && why === 'bug')) return false;
  room.total += 1;
  if (holds) room.ofKey.set(key, ofKey + 1);
  return true;
}

async function insert(
  tx: Tx,
  group: string,
  letters: readonly Letter[],
): Promise<ReadonlyMap<Letter, bigint>> {
  if (letters.length === 0) return new Map();
  const records = letters.map(({ record }) => record);
  const { rows } = await tx.query<{ id: bigint }>(
    `INSERT INTO dead_letter (consumer_group, topic, partition, bus_offset, key_text, record_key, headers, value,
                              value_sha256, appended_at_ms, why, code, detail, holds)
       SELECT $1, topic, partition, bus_offset, key_text, record_key, headers, value, value_sha256, appended_at_ms,
              why, code, detail, holds
         FROM unnest($2::text[], $3::int[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[],
                     $10::bigint[], $11::text[], $12::text[], $13::text[], $14::bool[])
              WITH ORDINALITY AS r(topic, partition, bus_offset, key_text, record_key, headers, value, value_sha256,
                                   appended_at_ms, why, code, detail, holds, n)
        ORDER BY n
     RETURNING id`,
    [
      group,
      records.map((record) => record.topic),
      records.map((record) => record.partition),
      records.map((record) => record.offset),
      records.map((record) => keyText(record.key)),
      records.map((record) => record.key),
      records.map((record) => packHeaders(record.headers)),
      records.map((record) => record.value),
      records.map((record) => sha256Hex(record.value ?? '')),
      records.map((record) => Math.trunc(record.appendedAtMs)),
      letters.map(({ why }) => why),
      letters.map(({ code }) => storable(code).slice(0, CODE_CHARS)),
      letters.map(({ detail }) => storable(detail).slice(0, DETAIL_CHARS)),
      letters.map(({ holds }) => holds),
    ],
  );
  // RETURNING keeps the order of insertion.
  return new Map(letters.map((letter, index) => [letter, rows[index]?.id ?? -1n]));
}

async function countPassedOver(tx: Tx, group: string, letters: readonly Letter[]): Promise<void> {
  const held = letters.filter(({ holds }) => holds);
  if (held.length === 0) return;
  await tx.query(
    `UPDATE dead_letter SET passed_over = passed_over + b.n
       FROM (SELECT key, count(*)::int AS n FROM unnest($2::text[]) AS k(key) GROUP BY key) AS b
      WHERE id = (SELECT min(id) FROM dead_letter
                   WHERE consumer_group = $1 AND key_text = b.key AND holds AND settled_at IS NULL)`,
    [group, held.map(({ record }) => keyText(record.key))],
  );
}

type Headers = BusRecord['headers'];

/** Bytes in base64 inside JSON. A header given twice stays one, and one without a value stays without. */
function packHeaders(headers: Headers): Buffer {
  const pack = (one: Buffer | string | null): string | null =>
    one === null ? null : Buffer.from(one).toString('base64');
  const packed = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.map(pack) : pack(value)]],
  );
  return Buffer.from(JSON.stringify(packed));
}

/** Text comes back as its bytes. */
export function unpackHeaders(packed: Buffer): Headers {
  const unpack = (one: string | null): Buffer | null => (one === null ? null : Buffer.from(one, 'base64'));
  const entries = JSON.parse(packed.toString()) as [string, string | null | (string | null)[]][];
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(unpack) : unpack(value)]),
  ) as Headers;
}
