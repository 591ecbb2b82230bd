/**
 * Compares the rows of the log with their bytes and with the tree, from the first to the last and again, a little at a time. How far
 * it has come stands in the database, with what it found: a process that starts anew goes on there.
 */
import { TILE_WIDTH } from '#merkle/tile.js';
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Metrics } from '#telemetry/metrics.js';
import { readHead } from './append.js';
import { checkHead, checkRows, rowsBeyond, type RowFinding } from './check-rows.js';
import { checkTiles, checkUpperTiles } from './check-tiles.js';

export interface RowCheckerParts {
  db: Database;
  metrics: Metrics;
  warn: (fields: object, message: string) => void;
}

/** Of four tiles: a hundredth of a core, and a million rows in half an hour. */
const TILES = 4n;
const BATCH = TILES * BigInt(TILE_WIDTH);
const EVERY_MS = 2_000;
/** A short log is not read for ever. */
const REST_MS = 60_000;
/** Where everything was moved, everything is suspect: so many are kept by number. */
const MAX_SUSPECTS = 1_000;
const NAMED = 5;

export class RowChecker {
  readonly #parts: RowCheckerParts;
  /** By number, as far as this lap has come, and from the one before. */
  readonly #suspects = new Map<string, RowFinding>();
  /** What only shows where the log ends. */
  #atEnd: RowFinding[] = [];
  readonly #checked: { inc: (by: number) => void };
  #next: bigint | undefined;
  #restUntilMs = 0;
  #repeating: { stop: () => Promise<void> } | undefined;

  constructor(parts: RowCheckerParts) {
    this.#parts = parts;
    this.#checked = parts.metrics.counter({
      name: 'audit_rows_checked_total',
      help: 'Rows of the log that were compared with their bytes.',
    });
    parts.metrics.gauge({
      name: 'audit_rows_suspect',
      help: 'Rows of the log that do not say what their bytes or the tree say.',
      read: () => this.#suspects.size + this.#atEnd.length,
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
    return [...this.#suspects.values(), ...this.#atEnd].sort((a, b) => Number(a.seq - b.seq));
  }

  remarks(): string[] {
    const { findings } = this;
    if (findings.length === 0) return [];
    const named = findings.slice(0, NAMED).map(({ seq, to, fault }) => {
      const last = to === undefined ? '' : `-${to - 1n}`;
      return `${seq}${last} (${fault})`;
    });
    if (findings.length > NAMED) named.push('…');
    return [`rows of the log are not what was logged: ${named.join(', ')}`];
  }

  /** Compares the next few. @returns whether the log has come to its end */
  async turn(): Promise<boolean> {
    const { pool } = this.#parts.db;
    this.#next ??= await this.#goOn();
    const head = await readHead(pool);
    const { size } = head;
    const from = this.#next < size ? this.#next : 0n;
    // Turns end where tiles do.
    const boundary = (from / BATCH + 1n) * BATCH;
    const to = boundary < size ? boundary : size;
    if (from < to) await this.#compare(from, to);
    this.#checked.inc(Number(to - from));
    const isEnd = to === size;
    if (isEnd) {
      const before = this.#atEnd;
      this.#atEnd = [
        ...(await checkUpperTiles(pool, size)),
        ...(await checkHead(pool, head)),
        ...(await rowsBeyond(pool, MAX_SUSPECTS)),
      ];
      this.#tell(this.#atEnd.filter((each) => before.every((known) => keyOf(known) !== keyOf(each))));
    }
    this.#next = isEnd ? 0n : to;
    await pool.query('UPDATE row_check SET next = $1, laps = laps + $2, suspects = $3', [
      this.#next,
      isEnd ? 1 : 0,
      [...this.#suspects.values()].map(({ seq }) => seq),
    ]);
    return isEnd;
  }

  /** Looks again at what was wrong before this process started. */
  async #goOn(): Promise<bigint> {
    const { pool } = this.#parts.db;
    const { rows } = await pool.query<{ next: bigint; suspects: string[] }>(
      'SELECT next, suspects::text[] FROM row_check',
    );
    const { size } = await readHead(pool);
    for (const seq of (rows[0]?.suspects ?? []).map(BigInt))
      if (seq < size) await this.#compare(seq, seq + 1n);
    return rows[0]?.next ?? 0n;
  }

  /** What is found in `[from, to)` takes the place of what was wrong there before. */
  async #compare(from: bigint, to: bigint): Promise<void> {
    const { pool } = this.#parts.db;
    const width = BigInt(TILE_WIDTH);
    const found = [
      ...(await checkRows(pool, from, to)),
      ...(await checkTiles(pool, 0, from / width, (to + width - 1n) / width)),
    ];
    const before = new Set(this.#suspects.keys());
    for (const [key, { seq }] of this.#suspects) if (seq >= from && seq < to) this.#suspects.delete(key);
    const kept = found.slice(0, MAX_SUSPECTS - this.#suspects.size);
    for (const finding of kept) this.#suspects.set(keyOf(finding), finding);
    this.#tell(kept.filter((finding) => !before.has(keyOf(finding))));
  }

  #tell(found: readonly RowFinding[]): void {
    for (const { seq, to, fault, columns } of found)
      this.#parts.warn(
        { seq: String(seq), ...(to === undefined ? {} : { to: String(to) }), fault, columns },
        'a row of the log is not what was logged',
      );
  }
}

const keyOf = ({ seq, fault }: RowFinding): string => `${seq} ${fault}`;
