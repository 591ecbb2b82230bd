/** A schema of its own in DATABASE_URL, so that specs that run at once do not meet. */
import { randomBytes } from 'node:crypto';
import { openDatabase, type Database } from '../src/database.js';
import { migrate, type Migration } from '../src/migrate.js';

export interface FreshSchema {
  db: Database;
  /** Another process of the same service: a pool of its own on the same schema, which is its application name too. */
  open: () => Database;
  /** Drops the schema and closes every pool. */
  drop: () => Promise<void>;
}

export async function freshSchema(
  name: string,
  migrations: readonly Migration[] = [],
  maxConnections = 8,
): Promise<FreshSchema> {
  const url = process.env.DATABASE_URL;
  if (url === undefined) throw new Error('DATABASE_URL is not set');
  const schema = `${name}_${randomBytes(6).toString('hex')}`;
  const pools: Database[] = [];
  const open = () => {
    const db = openDatabase({ url, schema, application: schema, maxConnections, keepsPlans: true });
    pools.push(db);
    return db;
  };
  const db = open();
  await db.pool.query(`CREATE SCHEMA ${schema}`);
  await migrate(db, migrations);
  return {
    db,
    open,
    drop: async () => {
      await db.pool.query(`DROP SCHEMA ${schema} CASCADE`);
      await Promise.all(pools.map((pool) => pool.close()));
    },
  };
}
