/**
 * The projections made anew out of the log, beside those that answer, and compared with them row for row. What differs is replaced, or only told.
 * The auditor may be at work meanwhile: it waits for the last step alone.
 */
import { transact, type Database, type Tx } from '#store/database.js';
import { compareTable, takeRebuilt, type TableReport } from './compare.js';
import { nameOn } from './rows.js';
import { TABLE_NAMES } from './tables.js';
import { lockPosition, projectTurn, readPosition, RULES, signedSize, type Position } from './turn.js';

export type RebuildErrorCode = 'ERR_REBUILD_AT_WORK' | 'ERR_REBUILD_OVERTAKEN';

export class RebuildError extends Error {
  override readonly name = 'RebuildError';
  constructor(
    readonly code: RebuildErrorCode,
    message: string,
  ) {
    super(message);
  }
}

export interface RebuildReport {
  /** Entries of the log that were projected: all below it. */
  size: bigint;
  /** False: the rows that answer were made by the rules of another version, or say another longest lease. */
  samePosition: boolean;
  tables: TableReport[];
}

export const differing = ({ tables }: RebuildReport): number =>
  tables.reduce((sum, table) => sum + table.differing, 0);

export interface RebuildOptions {
  /** Only compares. */
  check: boolean;
  onProgress?: (done: bigint, of: bigint) => void;
}

/** @param db with two connections at least @throws RebuildError */
export async function rebuild(db: Database, options: RebuildOptions): Promise<RebuildReport> {
  return await alone(db, async (assertAlone) => {
    await transact(db, begin);
    // Without a lock: the log only grows. What came in meanwhile is left to the last step.
    const goal = await goalOf(db.pool, await readPosition(db.pool));
    for (let done = 0n; done < goal;) {
      assertAlone();
      done = await transact(db, (tx) => projectTurn(tx, 'rebuilt', goal));
      options.onProgress?.(done, goal);
    }
    assertAlone();
    const report = await transact(db, (tx) => (options.check ? check(tx) : replace(tx)));
    await transact(db, emptied);
    return report;
  });
}

async function begin(tx: Tx): Promise<void> {
  await emptied(tx);
  await tx.query(
    `INSERT INTO ${nameOn('rebuilt', 'projection')} (rules, next, longest_ms) VALUES ($1, 0, 0)`,
    [RULES],
  );
}

async function emptied(tx: Tx): Promise<void> {
  const names = (['projection', ...TABLE_NAMES] as const).map((table) => nameOn('rebuilt', table));
  await tx.query(`TRUNCATE ${names.join(', ')}`);
}

/** On one state of the database: the rows that answer do not move meanwhile. */
async function check(tx: Tx): Promise<RebuildReport> {
  await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  const live = await readPosition(tx);
  const size = await goOn(tx, await goalOf(tx, live));
  if (size > live.next && live.rules === RULES)
    throw new RebuildError('ERR_REBUILD_OVERTAKEN', 'the projections were begun anew meanwhile: try again');
  return { size, samePosition: await isSame(tx, live), tables: await compared(tx) };
}

/** Whoever follows the log waits, and then goes on from here. */
async function replace(tx: Tx): Promise<RebuildReport> {
  const live = await lockPosition(tx, 'live');
  const size = await goOn(tx, await goalOf(tx, live));
  const samePosition = await isSame(tx, live);
  const tables = await compared(tx);
  for (const { table, differing: some } of tables) if (some > 0) await takeRebuilt(tx, table);
  await tx.query(
    `UPDATE projection SET rules = r.rules, next = r.next, longest_ms = r.longest_ms FROM rebuilt_projection r`,
  );
  return { size, samePosition, tables };
}

/** As far as the rows that answer are; where other rules made them, as far as they would be. */
const goalOf = (db: Pick<Tx, 'query'>, { rules, next }: Position): Promise<bigint> =>
  rules === RULES ? Promise.resolve(next) : signedSize(db);

async function isSame(tx: Tx, { rules, longestMs }: Position): Promise<boolean> {
  return rules === RULES && longestMs === (await readPosition(tx, 'rebuilt')).longestMs;
}

async function goOn(tx: Tx, to: bigint): Promise<bigint> {
  let next = await projectTurn(tx, 'rebuilt', to);
  while (next < to) next = await projectTurn(tx, 'rebuilt', to);
  return next;
}

async function compared(tx: Tx): Promise<TableReport[]> {
  const reports: TableReport[] = [];
  for (const table of TABLE_NAMES) reports.push(await compareTable(tx, table));
  return reports;
}

const LOCK = "hashtextextended('mayfly.rebuild.' || current_schema(), 0)";

/** One at a time: there is one set of tables for it. @throws RebuildError ERR_REBUILD_AT_WORK */
async function alone<T>(db: Database, work: (assertAlone: () => void) => Promise<T>): Promise<T> {
  const client = await db.pool.connect();
  let lost: Error | undefined;
  client.on('error', (error: Error) => (lost = error));
  try {
    const { rows } = await client.query<{ mine: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS mine`);
    if (rows[0]?.mine !== true)
      throw new RebuildError('ERR_REBUILD_AT_WORK', 'the projections are being made anew already');
    return await work(() => {
      if (lost !== undefined) throw lost;
    });
  } finally {
    // The lock goes with the session, which the server ends a moment after we have left it; the next one need not meet it.
    await client.query(`SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined);
    client.release(true);
  }
}
