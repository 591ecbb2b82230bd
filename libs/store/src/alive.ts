/**
 * Whether a process of a service lives: each holds an advisory lock on its id for as long as its session does. The database
 * drops the lock with the session, so a killed process is known dead at once, and no clock is asked. A process whose session
 * was cut off is taken for dead though it lives: that must be harmless, and is where outcomes are decided under row locks.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Database } from './database.js';

const LOCK = "hashtextextended('mayfly.alive.' || current_schema() || '.' || $1, 0)";
const TAKE_AGAIN_MS = 1_000;

/** Shows that this process lives, for as long as it does. A session that is lost is opened again. */
export class Alive {
  #client: pg.PoolClient | undefined;
  #stopped = false;

  private constructor(
    private readonly db: Database,
    readonly instanceId: string,
    private readonly warn: (fields: object, message: string) => void,
  ) {}

  static async as(
    instanceId: string,
    db: Database,
    warn: (fields: object, message: string) => void,
  ): Promise<Alive> {
    const alive = new Alive(db, instanceId, warn);
    await alive.#hold();
    return alive;
  }

  stop(): void {
    this.#stopped = true;
    this.#client?.release(true);
    this.#client = undefined;
  }

  async #hold(): Promise<void> {
    const client = await this.db.pool.connect();
    client.on('error', (error: Error) => {
      // While the lock is still being taken, the query fails with it.
      if (this.#client !== client) return;
      this.#client = undefined;
      client.release(error);
      if (!this.#stopped) void this.#holdAgain(error);
    });
    try {
      await client.query(`SELECT pg_advisory_lock(${LOCK})`, [this.instanceId]);
    } catch (error) {
      client.release(true);
      throw error;
    }
    if (this.#stopped) client.release(true);
    else this.#client = client;
  }

  async #holdAgain(cause: unknown): Promise<void> {
    this.warn({ err: cause }, 'the session that shows this process alive was lost');
    await sleep(TAKE_AGAIN_MS, undefined, { ref: false });
    if (!this.#stopped) await this.#hold().catch((error: unknown) => this.#holdAgain(error));
  }
}

/** True if no session holds the lock of this instance. Locks it for a moment, so of two who ask at once one hears false. */
export async function isDead(db: pg.Pool | pg.ClientBase, instanceId: string): Promise<boolean> {
  const { rows } = await db.query<{ free: boolean }>(`SELECT pg_try_advisory_xact_lock(${LOCK}) AS free`, [
    instanceId,
  ]);
  return rows[0]?.free ?? false;
}
