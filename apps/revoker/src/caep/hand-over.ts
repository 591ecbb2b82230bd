/**
 * From what is dead to what receivers are to be told: goes through the revocations by their number, from where it was. Apart from
 * the transactions of ends, so that no cut waits for it, and by one process at a time.
 */
import { revocationRecord } from '#events/revocations.js';
import { transact, type Database } from '#store/database.js';
import { addEvents, type NewEvent } from './event-rows.js';
import { sessionEnded } from './session-ended.js';

const BATCH = 500;

interface Row {
  value: Buffer;
  seq: bigint;
  causedBy: string | null;
  notAfter: Date;
}

/** @returns whether there may be more at once. */
export async function handOver(
  db: Database,
  receivers: readonly string[],
  tokenIssuer: string,
  nowMs: number,
): Promise<{ added: number; more: boolean }> {
  return await transact(db, async (tx) => {
    const { rows: held } = await tx.query<{ seq: bigint }>(
      'SELECT seq FROM security_event_seq FOR UPDATE SKIP LOCKED',
    );
    const [cursor] = held;
    if (cursor === undefined) return { added: 0, more: false };
    // In the order of the commits: the number is given under a lock that is held to the commit.
    const { rows } = await tx.query<Row>(
      `SELECT value, seq, caused_by AS "causedBy", not_after AS "notAfter" FROM revocation
        WHERE seq > $1 ORDER BY seq LIMIT ${BATCH}`,
      [cursor.seq],
    );
    const last = rows.at(-1);
    if (last === undefined) return { added: 0, more: false };
    const events = rows.flatMap(({ value, causedBy, notAfter }): NewEvent[] => {
      const record = revocationRecord.parse(JSON.parse(value.toString()));
      const told = sessionEnded(record, causedBy, tokenIssuer, nowMs);
      return told === null ? [] : [{ told, notAfter }];
    });
    await addEvents(tx, receivers, events, nowMs);
    await tx.query('UPDATE security_event_seq SET seq = $1', [last.seq]);
    return { added: events.length, more: rows.length === BATCH };
  });
}
