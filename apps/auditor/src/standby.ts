/**
 * One auditor writes the log, the others stand by: whoever holds the lock of the schema. The lock belongs to a session, so it
 * is free the moment a killed process's connection closes, and no clock is asked. Safety does not hang on it: the head's row
 * is locked at each append, so that two who both believe it is their turn make one log, only slowly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Database } from '#store/database.js';

const LOCK = "hashtextextended('mayfly.auditor.' || current_schema(), 0)";
const LOOK_EVERY_MS = 500;
/** A machine that disappears closes no connection: the server asks after it, and is answered within ten seconds or drops it. */
const KEEPALIVE =
  'SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 2';

export interface StandbyParts {
  db: Database;
  warn: (fields: object, message: string) => void;
  /** The session was lost, and another one is at work now: this process must end. */
  onLost: (cause: Error) => void;
}

export class Standby {
  readonly #parts: StandbyParts;
  #client: pg.PoolClient | undefined;
  #stopped = false;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
  }

  get isActive(): boolean {
    return this.#client !== undefined;
  }

  /** Resolves once it is this process's turn. @throws Error when it was stopped before */
  async turn(): Promise<void> {
    while (!this.#stopped) {
      try {
        if (await this.#standBy()) return;
      } catch (error) {
        this.#parts.warn({ err: error }, 'could not ask whose turn it is');
        await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      }
    }
    throw new Error('stopped before it was its turn');
  }

  /** Gives the turn to whoever stands by. */
  stop(): void {
    this.#stopped = true;
    const client = this.#client;
    this.#client = undefined;
    client?.release(true);
  }

  /** The database may have been away for everybody. Meanwhile the work goes on: the head's row keeps it one log. */
  async #takeAgain(cause: Error): Promise<void> {
    this.#parts.warn({ err: cause }, 'the session of the turn was lost');
    // Whoever stands by goes first: this process may be the one that is cut off.
    await sleep(2 * LOOK_EVERY_MS, undefined, { ref: false });
    while (!this.#stopped) {
      try {
        if (await this.#standBy({ once: true })) return;
        if (!this.#stopped) this.#parts.onLost(cause);
        return;
      } catch {
        await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      }
    }
  }

  /** In one session until it is lost. @param once looks once. @returns false when it was stopped meanwhile, or somebody else has the turn */
  async #standBy({ once = false } = {}): Promise<boolean> {
    const client = await this.#parts.db.pool.connect();
    client.on('error', (error: Error) => {
      // While somebody still waits with it, the next query fails.
      if (this.#client !== client) return;
      this.#client = undefined;
      client.release(error);
      void this.#takeAgain(error);
    });
    try {
      await client.query(KEEPALIVE);
      while (!this.#stopped) {
        const { rows } = await client.query<{ mine: boolean }>(
          `SELECT pg_try_advisory_lock(${LOCK}) AS mine`,
        );
        if (rows[0]?.mine === true && !this.#stopped) {
          this.#client = client;
          return true;
        }
        if (once) return false;
        await sleep(LOOK_EVERY_MS, undefined, { ref: false });
      }
      return false;
    } finally {
      if (this.#client !== client) client.release(true);
    }
  }
}
