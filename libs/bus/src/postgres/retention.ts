/** Lets go of what topics' settings let go of, a partition at a time, once a minute. */
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';

const EVERY_MS = 60_000;
/** A step that took this many (`at_most` in the function) has left some. */
const STEP_RECORDS = 5_000n;

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

/** Every partition that has records, in short transactions. Any number of processes may do it at once. */
export async function sweep(db: Database): Promise<void> {
  const { rows } = await db.pool.query<{ topic: string; partition: number }>(
    'SELECT topic, partition FROM log_head WHERE high > low ORDER BY topic, partition',
  );
  for (const { topic, partition } of rows) {
    let gone: bigint;
    do {
      const step = await db.pool.query<{ gone: bigint }>('SELECT sweep($1, $2) AS gone', [topic, partition]);
      gone = step.rows[0]?.gone ?? 0n;
    } while (gone >= STEP_RECORDS);
  }
  await db.pool.query('SELECT forget_dead_members()');
}
