/** Rows of the projections in the database. Loaded for the entries of one turn, changed here, and stored at its end: a statement for each table. */
import type { Tx } from '#store/database.js';
import { derive } from './derive.js';
import { merge } from './merge.js';
import { keyOf, TABLE_NAMES, TABLES, type Change, type Row, type Table, type TableName } from './tables.js';

/** Where the rows are: those that answer, or those that are made anew beside them. */
export type Side = 'live' | 'rebuilt';
export const nameOn = (side: Side, table: TableName | 'projection'): string =>
  side === 'live' ? table : `rebuilt_${table}`;

/** @returns how much longer than `longestMs` a lease was granted for, if one was */
export async function applyChanges(
  tx: Tx,
  side: Side,
  changes: readonly Change[],
  longestMs: number,
): Promise<number> {
  if (changes.length === 0) return longestMs;
  const rows = new Rows(tx, side);
  const tasks = idsIn(changes, 'task_life');
  await Promise.all([...TABLE_NAMES.map((table) => rows.load(table, changes)), rows.loadLeasesOf(tasks)]);
  for (const { table, facts } of changes) rows.change(table, facts);
  await rows.loadTasks();
  rows.deriveLeases();
  await rows.store();
  return rows.longestMs(longestMs);
}

const idsIn = (changes: readonly Change[], table: 'task_life'): string[] => [
  ...new Set(changes.flatMap((change) => (change.table === table ? [change.facts.task_id] : []))),
];

class Rows {
  readonly #rows = new Map<TableName, Map<string, Row>>(TABLE_NAMES.map((name) => [name, new Map()]));
  readonly #changed = new Map<TableName, Set<string>>(TABLE_NAMES.map((name) => [name, new Set()]));

  constructor(
    readonly tx: Tx,
    readonly side: Side,
  ) {}

  async load(table: TableName, changes: readonly Change[]): Promise<void> {
    const wanted = new Map(
      changes.flatMap((change) =>
        change.table === table ? [[keyOf(table, change.facts as Row), change.facts as Row] as const] : [],
      ),
    );
    await this.#loadKeys(table, [...wanted.values()]);
  }

  /** Their rows follow from these tasks. */
  async loadLeasesOf(taskIds: readonly string[]): Promise<void> {
    if (taskIds.length === 0) return;
    await this.#read('access_grant', 'task_id = ANY($1::text[])', [taskIds]);
  }

  /** Of all leases that were loaded. */
  async loadTasks(): Promise<void> {
    const known = this.#of('task_life');
    const missing = new Map<string, Row>();
    for (const { task_id } of this.#of('access_grant').values()) {
      if (typeof task_id !== 'string') continue;
      const key = keyOf('task_life', { task_id });
      if (!known.has(key)) missing.set(key, { task_id });
    }
    await this.#loadKeys('task_life', [...missing.values()]);
  }

  change(table: TableName, facts: Row): void {
    const rows = this.#of(table);
    const key = keyOf(table, facts);
    const before = rows.get(key);
    this.#put(table, key, before, merge(table, before, facts));
  }

  deriveLeases(): void {
    const tasks = this.#of('task_life');
    for (const [key, lease] of this.#of('access_grant'))
      this.#put(
        'access_grant',
        key,
        lease,
        derive(lease, tasks.get(keyOf('task_life', { task_id: lease.task_id ?? null }))),
      );
  }

  longestMs(before: number): number {
    let longest = before;
    for (const { granted_at_ms, expires_at_ms } of this.#of('access_grant').values())
      if (typeof granted_at_ms === 'number' && typeof expires_at_ms === 'number')
        longest = Math.max(longest, expires_at_ms - granted_at_ms);
    return longest;
  }

  async store(): Promise<void> {
    await Promise.all(TABLE_NAMES.map((table) => this.#store(table)));
  }

  async #store(table: TableName): Promise<void> {
    const rows = this.#of(table);
    const changed = [...(this.#changed.get(table) ?? [])].map((key) => rows.get(key));
    if (changed.length === 0) return;
    const name = nameOn(this.side, table);
    const { key, columns }: Table = TABLES[table];
    await this.tx.query({
      name: `store-${name}`,
      text: `INSERT INTO ${name} SELECT * FROM json_populate_recordset(NULL::${name}, $1::json)
        ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${Object.keys(columns)
          .map((column) => `${column} = excluded.${column}`)
          .join(', ')}`,
      values: [JSON.stringify(changed)],
    });
  }

  async #loadKeys(table: TableName, keys: readonly Row[]): Promise<void> {
    if (keys.length === 0) return;
    const { key }: Table = TABLES[table];
    const lists = key.map((_, i) => `$${i + 1}::text[]`).join(', ');
    await this.#read(
      table,
      `(${key.join(', ')}) IN (SELECT * FROM unnest(${lists}))`,
      key.map((column) => keys.map((row) => row[column])),
    );
  }

  async #read(table: TableName, condition: string, values: unknown[]): Promise<void> {
    const name = nameOn(this.side, table);
    // Without a name: a plan that is kept is of the table as it was when it was small.
    const { rows } = await this.tx.query<{ row: Row }>(
      `SELECT row_to_json(t) AS row FROM ${name} t WHERE ${condition}`,
      values,
    );
    for (const { row } of rows) this.#of(table).set(keyOf(table, row), row);
  }

  #put(table: TableName, key: string, before: Row | undefined, after: Row): void {
    if (after === before) return;
    this.#of(table).set(key, after);
    this.#changed.get(table)?.add(key);
  }

  #of(table: TableName): Map<string, Row> {
    const rows = this.#rows.get(table);
    if (rows === undefined) throw new TypeError('no such projection');
    return rows;
  }
}
