/**
 * Whether a broker process lives: each holds an advisory lock on its id for as long as its session does. The database
 * drops it with the session, so a killed process is known dead at once, and no clock is asked.
 */
import type pg from 'pg';
import type { Database, Tx } from '#store/database.js';

const LOCK = "hashtextextended('mayfly.broker.' || $1, 0)";

/** Holds the lock of this instance; takes it again when its session is lost. @returns a function that lets go. */
export async function liveAs(
  instanceId: string,
  db: Database,
  warn: (fields: object, message: string) => void,
): Promise<() => void> {
  let client: pg.PoolClient | undefined;
  let stopped = false;
  const hold = async () => {
    const mine = await db.pool.connect();
    mine.on('error', (error: Error) => {
      mine.release(error);
      client = undefined;
      warn({ err: error }, 'the session of this instance was lost');
      if (!stopped) retry();
    });
    await mine.query(`SELECT pg_advisory_lock(${LOCK})`, [instanceId]);
    client = mine;
  };
  const retry = () => void setTimeout(() => void hold().catch(retry), 1_000).unref();
  await hold();
  return () => {
    stopped = true;
    client?.release(true);
  };
}

/** True if no session holds the lock of this instance. */
export async function isDead(tx: Tx, instanceId: string): Promise<boolean> {
  const { rows } = await tx.query<{ free: boolean }>(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS free`, [
    instanceId,
  ]);
  return rows[0]?.free ?? false;
}
