/**
 * Takes away what nothing can ask for any more, a little at a time: each batch is a short transaction of its own, which waits
 * for no row and holds up nobody. One process of a service does it at a time. By the database's clock.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { transact, type Database, type Tx } from './database.js';
import { repeat } from './repeat.js';

export interface PruneRule {
  /** Of the metric's label, and of what is logged. */
  name: string;
  keepMs: number;
  /** Rows, or tasks with all their rows, that go in one transaction. */
  batch: number;
  /**
   * Takes one batch of what is older than `keepMs`. MUST NOT wait for locks that others hold for long.
   * @returns how many; fewer than `batch`: nothing more is over.
   */
  take: (tx: Tx, keepMs: number, batch: number) => Promise<number>;
}

export interface PrunerParts {
  db: Database;
  rules: readonly PruneRule[];
  /** Told of each batch, once it is committed. */
  onPruned: (rule: string, rows: number) => void;
  warn: (fields: object, message: string) => void;
}

const EVERY_MS = 60_000;
/** Of one rule, in one run: what is left then waits for the next. */
const RULE_MS = 10_000;
const PAUSE_MS = 20;
/** Far more than a batch needs: one that is too large is made smaller, and a plan that went wrong ends. */
const STATEMENT_MS = 5_000;
const TIMED_OUT = '57014';

export class Pruner {
  readonly #stop = new AbortController();
  #loop: { stop: () => Promise<void> } | undefined;

  constructor(
    private readonly parts: PrunerParts,
    private readonly statementMs = STATEMENT_MS,
  ) {}

  start(): void {
    this.#loop = repeat(
      EVERY_MS,
      () => this.run(),
      (err) => this.parts.warn({ err }, 'pruning failed'),
    );
  }

  /** Resolves after the batch at hand. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#loop?.stop();
  }

  /** Every rule once, in order; one that fails is told, and keeps no other from its turn. Never rejects. */
  async run(): Promise<void> {
    for (const rule of this.parts.rules) {
      try {
        await this.#follow(rule);
      } catch (error) {
        this.parts.warn({ err: error, rule: rule.name }, 'pruning failed');
      }
    }
  }

  async #follow(rule: PruneRule): Promise<void> {
    const untilMs = performance.now() + RULE_MS;
    for (let batch = rule.batch, full = true; full;) {
      if (this.#stop.signal.aborted || performance.now() > untilMs) return;
      try {
        const taken = await this.#batch(rule, batch);
        if (taken !== null && taken > 0) this.parts.onPruned(rule.name, taken);
        full = taken === batch;
      } catch (error) {
        // Some tasks have far more rows than others.
        if ((error as { code?: string }).code !== TIMED_OUT || batch === 1) throw error;
        batch = Math.ceil(batch / 10);
      }
      await sleep(PAUSE_MS);
    }
  }

  /** @returns null where another process is at it. */
  #batch({ take, keepMs }: PruneRule, batch: number): Promise<number | null> {
    return transact(this.parts.db, async (tx) => {
      const { rows } = await tx.query<{ free: boolean }>(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('mayfly.prune.' || $1, 0)) AS free",
        [this.parts.db.schema],
      );
      if (rows[0]?.free !== true) return null;
      await tx.query(`SET LOCAL statement_timeout = ${this.statementMs}`);
      return await take(tx, keepMs, batch);
    });
  }
}

/**
 * Dedupe may forget a record that no topic holds any more. While a record is parked the clock stands still: handed out again,
 * it may be the copy of one that was handled before it was parked.
 */
export const inboxRule = (keepMs: number): PruneRule => ({
  name: 'inbox',
  keepMs,
  batch: 1_000,
  take: async (tx, keep, batch) => {
    const { rowCount } = await tx.query(
      `DELETE FROM inbox WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM inbox
          WHERE received_at < $1 * interval '-1 millisecond'
                  + least(now(), (SELECT min(parked_at) FROM dead_letter WHERE settled_at IS NULL))
          ORDER BY received_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [keep, batch],
    );
    return rowCount ?? 0;
  },
});

/** A settled record is known as long as a topic may hold it: read again, it must not be parked again. What is parked never goes. */
export const settledRule = (keepMs: number): PruneRule => ({
  name: 'settled_records',
  keepMs,
  batch: 1_000,
  take: async (tx, keep, batch) => {
    const { rowCount } = await tx.query(
      `DELETE FROM dead_letter WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM dead_letter WHERE settled_at < now() - $1 * interval '1 millisecond'
          ORDER BY settled_at LIMIT $2 FOR UPDATE SKIP LOCKED))`,
      [keep, batch],
    );
    return rowCount ?? 0;
  },
});
