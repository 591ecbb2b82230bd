/** Roles beside the auditor's own and the signer's, as docs/how-to/guard-the-log.md makes them, and one that may write all data of the server. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { LogDatabase } from './log-database.js';

export type RoleName = 'writer' | 'signer' | 'reader' | 'owner' | 'dba' | 'rewriter';

export interface Roles {
  /** A connection of each, one after the other. */
  query: (role: RoleName, statement: string) => Promise<pg.QueryResult>;
  nameOf: (role: RoleName) => string;
  close: () => Promise<void>;
}

/** What a page says between two fences, for roles of these names. */
export const grantsFrom = (page: string, reader: string, dba: string): string[] =>
  [...page.matchAll(/^```sql\n([\s\S]*?)^```/gm)]
    .map(([, sql = '']) => sql)
    .filter((sql) => /mayfly_(log_reader|dba)/.test(sql))
    .map((sql) => sql.replaceAll('mayfly_log_reader', reader).replaceAll('mayfly_dba', dba));

export async function openRoles(log: LogDatabase, page: string): Promise<Roles> {
  const password = randomBytes(12).toString('hex');
  const { rows } = await log.admin.query<{ owner: string; database: string; major: number }>(
    `SELECT nspowner::regrole::text AS owner, current_database() AS database,
            current_setting('server_version_num')::int / 10000 AS major
       FROM pg_namespace WHERE nspname = 'audit'`,
  );
  const { owner = '', database = '', major = 0 } = rows[0] ?? {};
  const names: Record<RoleName, string> = {
    writer: log.runtimeRole,
    signer: log.signerRole,
    owner,
    reader: `${database}_reader`,
    dba: `${database}_dba`,
    rewriter: `${database}_rewriter`,
  };
  for (const sql of grantsFrom(page, names.reader, names.dba)) {
    // A right of 17 and later.
    if (major < 17 && sql.includes('MAINTAIN')) continue;
    await log.admin.query(sql);
  }
  await log.admin.query(`CREATE ROLE ${names.rewriter}; GRANT USAGE ON SCHEMA audit TO ${names.rewriter};
    GRANT pg_read_all_data, pg_write_all_data TO ${names.rewriter}`);
  for (const name of Object.values(names))
    await log.admin.query(`ALTER ROLE ${name} LOGIN PASSWORD '${password}'`);
  const clients = {} as Record<RoleName, pg.Client>;
  for (const [role, name] of Object.entries(names) as [RoleName, string][]) {
    clients[role] = new pg.Client({ connectionString: log.urlOf(name, password) });
    await clients[role].connect();
  }
  return {
    query: (role, statement) => clients[role].query(statement),
    nameOf: (role) => names[role],
    close: async () => {
      for (const client of Object.values(clients)) await client.end();
      for (const role of ['reader', 'dba', 'rewriter'] as const)
        await log.admin.query(`DROP OWNED BY ${names[role]}; DROP ROLE ${names[role]}`);
    },
  };
}
