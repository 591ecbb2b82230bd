/**
 * One turn of the projections: so many entries of the log, from where they stand, in the caller's transaction. Rows and position are stored together,
 * so that a process that is killed has done a turn or has not. What it makes of the log does not depend on where its turns ended.
 */
import type { Tx } from '#store/database.js';
import { PROJECTED, PROJECTED_TOPIC, project } from './project.js';
import { applyChanges, nameOn, type Side } from './rows.js';
import { TABLE_NAMES } from './tables.js';

/** Raised with every change of what the same entries come to: then all rows are made anew. */
export const RULES = 1;
/** Entries in one turn. */
export const TURN = 2_000n;

export interface Position {
  /** By which rules the rows were made. */
  rules: number;
  /** Entries below are in them. */
  next: bigint;
  /** No lease was granted for longer. */
  longestMs: bigint;
}

/** Without a lock. */
export async function readPosition(db: Pick<Tx, 'query'>, side: Side = 'live'): Promise<Position> {
  return await position(db, side, '');
}

/** Holds up whoever else goes on with these rows, until the transaction ends. */
export async function lockPosition(tx: Tx, side: Side): Promise<Position> {
  return await position(tx, side, 'FOR UPDATE');
}

async function position(db: Pick<Tx, 'query'>, side: Side, lock: string): Promise<Position> {
  const { rows } = await db.query<Position>(
    `SELECT rules, next, longest_ms AS "longestMs" FROM ${nameOn(side, 'projection')} ${lock}`,
  );
  if (rows[0] === undefined) throw new TypeError('the projections have no position');
  return rows[0];
}

/** The size of the newest head that was signed: what no head covers is in no answer, and so in no row. */
export async function signedSize(db: Pick<Tx, 'query'>): Promise<bigint> {
  const { rows } = await db.query<{ size: bigint | null }>('SELECT max(size) AS size FROM checkpoint');
  return rows[0]?.size ?? 0n;
}

/** @param to entries below it, at most a turn of them @returns where the rows stand then */
export async function projectTurn(tx: Tx, side: Side, to: bigint): Promise<bigint> {
  const { rules, next, longestMs } = await lockPosition(tx, side);
  const isOther = rules !== RULES;
  if (isOther) await clear(tx, side);
  const first = isOther ? 0n : next;
  const end = to < first + TURN ? to : first + TURN;
  if (end <= first && !isOther) return first;
  const entries = await readEntries(tx, first, end);
  const before = isOther ? 0 : Number(longestMs);
  const longest = await applyChanges(tx, side, entries.flatMap(project), before);
  await tx.query({
    name: `move-${side}-projection`,
    text: `UPDATE ${nameOn(side, 'projection')} SET rules = $1, next = $2, longest_ms = $3`,
    values: [RULES, end < first ? first : end, longest],
  });
  return end < first ? first : end;
}

async function clear(tx: Tx, side: Side): Promise<void> {
  for (const table of TABLE_NAMES) await tx.query(`DELETE FROM ${nameOn(side, table)}`);
}

interface Row {
  seq: bigint;
  leaf: Buffer;
  repeated: boolean;
}

async function readEntries(tx: Tx, first: bigint, end: bigint) {
  const { rows } = await tx.query<Row>(
    `SELECT e.seq, e.leaf,
             CASE WHEN e.type = 'call.decided' THEN EXISTS (
               SELECT FROM entry d WHERE d.type = 'call.decided' AND d.event_id = e.event_id AND d.seq < e.seq AND d.admitted)
             ELSE false END AS repeated
        FROM entry e
       WHERE e.seq >= $1 AND e.seq < $2 AND e.admitted AND e.topic = $3 AND e.type = ANY($4::text[]) ORDER BY e.seq`,
    [first, end, PROJECTED_TOPIC, [...PROJECTED.keys()]],
  );
  return rows.map(({ seq, leaf, repeated }) => ({
    ...{ seq: Number(seq), repeated },
    envelope: JSON.parse(leaf.toString('utf8')) as Record<string, unknown>,
  }));
}
