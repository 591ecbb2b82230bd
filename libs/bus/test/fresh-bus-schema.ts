/** A schema of a spec's own for the bus in PostgreSQL, in DATABASE_URL. */
import { randomBytes } from 'node:crypto';
import { openDatabase, type Database } from '#store/database.js';

export interface FreshBusSchema {
  url: string;
  schema: string;
  /** Its owner. */
  db: Database;
  drop: () => Promise<void>;
}

export async function freshBusSchema(name: string): Promise<FreshBusSchema> {
  const url = process.env['DATABASE_URL'] ?? '';
  const schema = `bus_${name}_${randomBytes(6).toString('hex')}`;
  const db = openDatabase({ url, schema, application: schema });
  await db.pool.query(`CREATE SCHEMA ${schema}`);
  return {
    url,
    schema,
    db,
    drop: async () => {
      await db.pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await db.close();
    },
  };
}
