/** A backup of a schema, for specs of what follows a restore. */
import type { Database } from '../src/database.js';

/** Copies every table and counter as they are. @returns what puts all of it back */
export async function copySchema({ pool, schema }: Database): Promise<() => Promise<void>> {
  const copy = `${schema.slice(0, 50)}_copy`;
  const { rows: tables } = await pool.query<{ name: string; columns: string }>(
    `SELECT table_name AS name, string_agg(quote_ident(column_name), ', ') AS columns
       FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
      WHERE table_schema = $1 AND table_type = 'BASE TABLE' AND is_generated = 'NEVER' GROUP BY table_name`,
    [schema],
  );
  const { rows: counters } = await pool.query<{ name: string; last: bigint | null }>(
    'SELECT sequencename AS name, last_value AS last FROM pg_sequences WHERE schemaname = $1',
    [schema],
  );
  await pool.query(`DROP SCHEMA IF EXISTS ${copy} CASCADE; CREATE SCHEMA ${copy}`);
  for (const { name } of tables) await pool.query(`CREATE TABLE ${copy}.${name} AS TABLE ${schema}.${name}`);
  return async () => {
    const client = await pool.connect();
    try {
      // Neither triggers nor foreign keys: the copy was whole.
      await client.query('BEGIN; SET LOCAL session_replication_role = replica');
      await client.query(`TRUNCATE ${tables.map(({ name }) => `${schema}.${name}`).join(', ')}`);
      for (const { name, columns } of tables)
        await client.query(
          `INSERT INTO ${schema}.${name} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${copy}.${name}`,
        );
      for (const { name, last } of counters)
        await client.query('SELECT setval($1, $2, $3)', [`${schema}.${name}`, last ?? 1n, last !== null]);
      await client.query(`DROP SCHEMA ${copy} CASCADE; COMMIT`);
    } finally {
      client.release(true);
    }
  };
}
