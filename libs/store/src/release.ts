/**
 * Parked records are handled after all, or given up, at an operator's word. One transaction for each key: either all of its
 * records have had their effects, in order, and new ones are no longer held, or everything is as it was.
 */
import type { BusRecord } from '#bus/bus.js';
import type { ServiceName } from '#events/services.js';
import { transact, type Database, type Tx } from './database.js';
import { parkedRecord, releasedRecord, type Order } from './dead-letter-records.js';
import { failureText } from './failure-text.js';
import {
  lettersOf,
  lock,
  orders,
  settle,
  together,
  togetherWith,
  type OpenLetter,
  type Ordered,
} from './letters.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from './outbox.js';
import { isTransient } from './transient.js';

export interface ReleaseParts<E> {
  db: Database;
  group: ServiceName;
  /** The effects of one record, in the transaction, as if it had just been read. A throw rolls all back. */
  handle(tx: Tx, record: BusRecord): Promise<E>;
  /** After the records of a key have had their effects or were given up, in their transaction. */
  onReleased?(tx: Tx, released: Released): Promise<E>;
  /** After each commit: effects in order, and records to send. */
  after(committed: Committed<E>): void;
  warn(fields: object, message: string): void;
}

export interface Committed<E> {
  effects: E[];
  queued: QueuedRecord[];
}

export interface Released {
  key: string;
  /** Whether the key was held by these, and no longer is. */
  isFree: boolean;
  letters: { letter: OpenLetter; how: 'retried' | 'dropped' }[];
}

const AT_ONCE = 100;
const TRIES = 3;
/** Two readers wrote the same row at once: decided again, it is there. */
const LOST_RACE = '23505';

/** Carries out what operators ordered. @throws what `isTransient`: the orders stay as they are. @returns how many were taken up */
export async function releaseOrders<E>(parts: ReleaseParts<E>): Promise<number> {
  for (let taken = 0; taken < AT_ONCE; taken += 1) if (!(await releaseNext(parts))) return taken;
  return AT_ONCE;
}

/** @returns false where there is nothing to do. */
async function releaseNext<E>(parts: ReleaseParts<E>): Promise<boolean> {
  const { db, group } = parts;
  for (let tries = 1; ; tries += 1) {
    const seen: { ordered?: Ordered; inHand?: OpenLetter | undefined } = {};
    let committed: Committed<E> | null;
    try {
      committed = await transact(db, async (tx) => {
        [seen.ordered] = await orders(tx, group, 1);
        if (seen.ordered === undefined) return null;
        return await releaseKey(tx, parts, seen.ordered, (letter) => (seen.inHand = letter));
      });
    } catch (error) {
      if (tries < TRIES && (isTransient(error) || (error as { code?: unknown }).code === LOST_RACE)) continue;
      if (isTransient(error) || seen.ordered === undefined) throw error;
      const letterId = (seen.inHand ?? seen.ordered).id;
      parts.warn({ err: error, letter: String(letterId) }, 'a parked record fails again: it stays parked');
      committed = {
        effects: [],
        queued: await noteFailure(db, group, seen.ordered, letterId, error),
      };
    }
    if (committed !== null) parts.after(committed);
    return committed !== null;
  }
}

/** @param take is told of each record before it is handled, and that none is in hand any more. */
async function releaseKey<E>(
  tx: Tx,
  parts: ReleaseParts<E>,
  ordered: Ordered,
  take: (letter?: OpenLetter) => void,
): Promise<Committed<E>> {
  const { group } = parts;
  await lock(tx, group, ordered);
  // A statement of its own: it sees what was parked while the locks were waited for.
  const letters = await lettersOf(tx, group, ordered);
  const dropped = letters.filter(({ state }) => state === 'drop');
  const rest = letters.filter(({ state }) => state !== 'drop');
  const isTried = rest.some(({ state }) => state === 'retry') || rest.every(({ why }) => why === 'behind');
  const retried = isTried ? rest : [];

  const effects: E[] = [];
  for (const letter of retried) {
    take(letter);
    effects.push(await parts.handle(tx, letter.record));
  }
  take();
  await settle(tx, dropped, 'dropped');
  await settle(tx, retried, 'released');
  const released: Released = {
    key: ordered.keyText,
    isFree: ordered.holds && retried.length === rest.length,
    letters: [
      ...dropped.map((letter) => ({ letter, how: 'dropped' as const })),
      ...retried.map((letter) => ({ letter, how: 'retried' as const })),
    ],
  };
  const [asked] = letters.flatMap(({ order }) => order ?? []);
  const queued = await enqueue(tx, await told(tx, group, released, asked ?? { by: 'unknown' }));
  if (parts.onReleased !== undefined && released.letters.length > 0)
    effects.push(await parts.onReleased(tx, released));
  return { effects, queued };
}

/** @param asked the order that the others of its key go by. */
async function told(
  tx: Tx,
  group: ServiceName,
  { letters }: Released,
  asked: Order,
): Promise<UnsignedRecord[]> {
  const atMs = await nowMs(tx);
  return letters.map(({ letter, how }) =>
    releasedRecord(letter, how, letter.order ?? asked, { group, atMs }),
  );
}

/** The orders of the key are used up, and the record that failed is now one that was found to: dropping it is what helps. */
async function noteFailure(
  db: Database,
  group: ServiceName,
  ordered: Ordered,
  failedId: bigint,
  error: unknown,
): Promise<QueuedRecord[]> {
  const { code, detail } = failureText(error);
  return await transact(db, async (tx) => {
    await lock(tx, group, ordered);
    const before = await lettersOf(tx, group, ordered);
    await tx.query(
      `UPDATE dead_letter SET state = 'parked',
              why = CASE WHEN id = $3 THEN 'bug' ELSE why END, attempts = attempts + (id = $3)::int,
              code = CASE WHEN id = $3 THEN $4 ELSE code END, detail = CASE WHEN id = $3 THEN $5 ELSE detail END
        WHERE ${togetherWith(ordered)} AND (id = $3 OR state <> 'parked')`,
      [...together(group, ordered), failedId, code, detail],
    );
    const failed = before.find(({ id }) => id === failedId);
    const [asked] = before.flatMap(({ order }) => order ?? []);
    if (failed === undefined) return [];
    const now = { why: 'bug' as const, code, attempts: failed.attempts + 1 };
    return await enqueue(tx, [parkedRecord(failed, now, { group, atMs: await nowMs(tx) }, asked)]);
  });
}

async function nowMs(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now.getTime() ?? 0;
}
