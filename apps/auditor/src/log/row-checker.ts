/**
 * Compares the rows of the log with their bytes and with the tree, from the first to the last and again, a little at a time. How far
 * it has come stands in the database, with what it found: a process that starts anew goes on there.
 */
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Metrics } from '#telemetry/metrics.js';
import { readHead } from './append.js';
import { checkRows, rowsBeyond, type RowFinding } from './check-rows.js';

export interface RowCheckerParts {
  db: Database;
  metrics: Metrics;
  warn: (fields: object, message: string) => void;
}

/** A hundredth of a core, and a million rows in half an hour. */
const BATCH = 1_000n;
const EVERY_MS = 2_000;
/** A short log is not read for ever. */
const REST_MS = 60_000;
/** Where everything was moved, everything is suspect: so many are kept by number. */
const MAX_SUSPECTS = 1_000;
const NAMED = 5;

export class RowChecker {
  readonly #parts: RowCheckerParts;
  readonly #suspects = new Map<bigint, RowFinding>();
  readonly #checked: { inc: (by: number) => void };
  #next: bigint | undefined;
  #restUntilMs = 0;
  #repeating: { stop: () => Promise<void> } | undefined;

  constructor(parts: RowCheckerParts) {
    this.#parts = parts;
    this.#checked = parts.metrics.counter({
      name: 'log_rows_checked_total',
      help: 'Rows of the log that were compared with their bytes.',
    });
    parts.metrics.gauge({
      name: 'log_rows_suspect',
      help: 'Rows of the log that do not say what their bytes or the tree say.',
      read: () => this.#suspects.size,
    });
  }

  start(): void {
    this.#repeating = repeat(
      EVERY_MS,
      async () => {
        if (Date.now() < this.#restUntilMs) return;
        if (await this.turn()) this.#restUntilMs = Date.now() + REST_MS;
      },
      (err) => this.#parts.warn({ err }, 'rows of the log were not compared with their bytes'),
    );
  }

  async stop(): Promise<void> {
    await this.#repeating?.stop();
  }

  /** What is wrong by now, in the order of the log. */
  get findings(): RowFinding[] {
    return [...this.#suspects.values()].sort((a, b) => (a.seq < b.seq ? -1 : 1));
  }

  remarks(): string[] {
    const { findings } = this;
    if (findings.length === 0) return [];
    const named = findings.slice(0, NAMED).map(({ seq, fault }) => `${seq} (${fault})`);
    return [`rows of the log are not what was logged: ${named.join(', ')}${findings.length > NAMED ? ', …' : ''}`];
  }

  /** Compares the next few. @returns whether the log has come to its end */
  async turn(): Promise<boolean> {
    const { pool } = this.#parts.db;
    this.#next ??= await this.#goOn();
    const { size } = await readHead(pool);
    const from = this.#next < size ? this.#next : 0n;
    const to = from + BATCH < size ? from + BATCH : size;
    if (from < to) this.#take(from, to, await checkRows(pool, from, to));
    this.#checked.inc(Number(to - from));
    const isEnd = to === size;
    if (isEnd) this.#take(size, undefined, await rowsBeyond(pool, MAX_SUSPECTS));
    this.#next = isEnd ? 0n : to;
    await pool.query('UPDATE row_check SET next = $1, laps = laps + $2, suspects = $3', [
      this.#next,
      isEnd ? 1 : 0,
      this.findings.map(({ seq }) => seq),
    ]);
    return isEnd;
  }

  /** Looks again at what was wrong before this process started. */
  async #goOn(): Promise<bigint> {
    const { pool } = this.#parts.db;
    const { rows } = await pool.query<{ next: bigint; suspects: bigint[] }>(
      'SELECT next, suspects FROM row_check',
    );
    const { size } = await readHead(pool);
    for (const seq of rows[0]?.suspects ?? [])
      if (seq < size) this.#take(seq, seq + 1n, await checkRows(pool, seq, seq + 1n));
    return rows[0]?.next ?? 0n;
  }

  /** What was found in `[from, to)` takes the place of what was wrong there before. */
  #take(from: bigint, to: bigint | undefined, found: readonly RowFinding[]): void {
    const before = new Set(this.#suspects.keys());
    for (const seq of before) if (seq >= from && (to === undefined || seq < to)) this.#suspects.delete(seq);
    for (const finding of found) {
      if (this.#suspects.size >= MAX_SUSPECTS) return;
      this.#suspects.set(finding.seq, finding);
      if (before.has(finding.seq)) continue;
      const { seq, fault, columns } = finding;
      this.#parts.warn({ seq: String(seq), fault, columns }, 'a row of the log is not what was logged');
    }
  }
}
