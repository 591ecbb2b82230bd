/** Makes the tables of the bus, and lets logins use them: work of the schema's owner. */
import { openDatabase, transact, type Database } from '#store/database.js';
import { migrate } from '#store/migrate.js';
import { BusError } from '../bus.js';
import { busMigrations } from './migrations.js';
import { unreachable } from './postgres-error.js';

/**
 * @param settings.url login of the owner of `schema`
 * @param logins roles that may append, read and belong to groups, and nothing else
 */
export async function prepareBus(
  settings: { url: string; schema: string },
  logins: readonly string[],
): Promise<void> {
  const owner = openDatabase({ ...settings, application: 'mayfly-bus-owner', maxConnections: 1 });
  try {
    await migrate(owner, busMigrations);
    await transact(owner, async (tx) => {
      for (const login of logins) {
        const role = tx.escapeIdentifier(login);
        await tx.query(`GRANT USAGE ON SCHEMA ${settings.schema} TO ${role}`);
        await tx.query(`GRANT SELECT ON topic, log_head, log_record TO ${role}`);
        await tx.query(`GRANT SELECT, INSERT, DELETE ON member TO ${role}`);
        await tx.query(
          `GRANT EXECUTE ON FUNCTION ensure_topic, append, sweep, forget_dead_members TO ${role}`,
        );
      }
    });
  } finally {
    await owner.close();
  }
}

/**
 * What every opening does: a role that owns the schema brings it up to date, any other finds it prepared.
 * @throws BusError ERR_BUS_UNREACHABLE
 */
export async function ensurePrepared(db: Database): Promise<void> {
  try {
    const { rows } = await db.pool.query<{ owns: boolean; prepared: boolean }>(
      `SELECT coalesce((SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace WHERE nspname = $1), false) AS owns,
              to_regclass($1 || '.log_record') IS NOT NULL AS prepared`,
      [db.schema],
    );
    if (rows[0]?.owns === true) await migrate(db, busMigrations);
    else if (rows[0]?.prepared !== true)
      throw new BusError(
        'ERR_BUS_UNREACHABLE',
        'the schema of the bus is missing, or its owner has not prepared it',
        {
          schema: db.schema,
        },
      );
  } catch (error) {
    throw unreachable(error, 'connect');
  }
}
