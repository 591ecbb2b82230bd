/** Lets go of what topics' settings let go of, a partition at a time, once a minute. */
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';

const EVERY_MS = 60_000;

export class Retention {
  #timer: NodeJS.Timeout;
  #sweeping: Promise<void> | undefined;

  constructor(
    private readonly db: Database,
    private readonly log: Log,
  ) {
    this.#timer = setInterval(() => void (this.#sweeping ??= this.#sweep()), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    try {
      await sweep(this.db);
    } catch (error) {
      this.log.warn({ err: error }, 'retention not swept, trying again');
    } finally {
      this.#sweeping = undefined;
    }
  }
}

/** One step for every partition that has records. Any number of processes may do it at once. */
export async function sweep(db: Database): Promise<void> {
  const { rows } = await db.pool.query<{ topic: string; partition: number }>(
    'SELECT topic, partition FROM log_head WHERE high > low ORDER BY topic, partition',
  );
  for (const { topic, partition } of rows) await db.pool.query('SELECT sweep($1, $2)', [topic, partition]);
  await db.pool.query('SELECT forget_dead_members()');
}
