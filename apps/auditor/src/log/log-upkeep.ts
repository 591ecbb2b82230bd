/** While the auditor at work runs: the next partitions stand ready, rows are compared with their bytes, and it is seen whether the log is still guarded. */
import { guardFindings } from '#guard/findings.js';
import { lookAtGuard } from '#guard/look.js';
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Metrics } from '#telemetry/metrics.js';
import { RowChecker } from './row-checker.js';

export interface LogUpkeepParts {
  db: Database;
  metrics: Metrics;
  warn: (fields: object, message: string) => void;
}

const LOOK_EVERY_MS = 60_000;

export class LogUpkeep {
  readonly #parts: LogUpkeepParts;
  readonly #rows: RowChecker;
  #missing: string[] = [];
  #repeating: { stop: () => Promise<void> } | undefined;

  constructor(parts: LogUpkeepParts) {
    this.#parts = parts;
    this.#rows = new RowChecker(parts);
  }

  start(): void {
    this.#rows.start();
    this.#repeating = repeat(
      LOOK_EVERY_MS,
      () => this.look(),
      (err) => this.#parts.warn({ err }, 'the next partitions of the log were not made'),
    );
  }

  async stop(): Promise<void> {
    await Promise.all([this.#rows.stop(), this.#repeating?.stop()]);
  }

  /** For readiness: what is amiss though the log goes on. */
  remarks(): string[] {
    return [...this.#missing, ...this.#rows.remarks()];
  }

  async look(): Promise<void> {
    const { db, warn } = this.#parts;
    await db.pool.query('SELECT add_partitions()');
    const findings = guardFindings(await lookAtGuard(db.pool, db.schema));
    for (const { layer, what, mend } of findings)
      if (!this.#missing.includes(what))
        warn({ layer, what, mend }, 'the log is less guarded than it can be');
    this.#missing = findings.map(({ what }) => what);
  }
}
