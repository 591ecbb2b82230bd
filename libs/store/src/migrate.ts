/** Brings a schema up to date at start: in order, once each, under an advisory lock, so that several processes may start at once. */
import { createHash } from 'node:crypto';
import type pg from 'pg';
import { transact, type Database, type Tx } from './database.js';

export interface Migration {
  /** Sorts by position, not by name; never renamed once released. */
  id: string;
  sql: string;
}

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
  readonly code = 'ERR_MIGRATION_CHANGED';
  constructor(readonly migration: string) {
    super('a migration that was applied has another text now');
  }
}

/** On a large table an index takes its time. */
const MIGRATION_TIMEOUT_MS = 3_600_000;

const digest = (sql: string) => createHash('sha256').update(sql).digest('hex');

/**
 * All pending ones are applied in one transaction.
 * @param first what this transaction has to say to a guard of the schema
 * @throws MigrationError when an applied migration has changed
 */
export async function migrate(db: Database, migrations: readonly Migration[], first?: string): Promise<void> {
  await transact(db, async (tx) => {
    if (first !== undefined) await tx.query(first);
    await tx.query("SELECT pg_advisory_xact_lock(hashtextextended('mayfly.migrate.' || $1, 0))", [db.schema]);
    await tx.query(`CREATE TABLE IF NOT EXISTS migration
      (id text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`);
    const applied = await readApplied(tx);
    for (const { id, sql } of migrations) {
      const known = applied.get(id);
      if (known !== undefined && known !== digest(sql)) throw new MigrationError(id);
      if (known !== undefined) continue;
      const step: pg.QueryConfig & { query_timeout: number } = {
        text: sql,
        query_timeout: MIGRATION_TIMEOUT_MS,
      };
      await tx.query(step);
      await tx.query('INSERT INTO migration (id, sha256) VALUES ($1, $2)', [id, digest(sql)]);
    }
  });
}

async function readApplied(tx: Tx): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ id: string; sha256: string }>('SELECT id, sha256 FROM migration');
  return new Map(rows.map((row) => [row.id, row.sha256]));
}
