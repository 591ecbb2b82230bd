/** The target as its clients see it: logins with issued credentials, and a superuser's look at what is there. */
import pg from 'pg';
import type { OpenedPostgres } from '#agent/open-envelope.js';

/** Logs in with an issued credential. @throws what the server says */
export async function login({ connection }: OpenedPostgres): Promise<pg.Client> {
  const client = new pg.Client({
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    password: connection.password.reveal(),
  });
  // A session that is ended while idle emits an error besides failing the next query.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export async function query<R extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Holds a lock as a superuser, whom the revoker cannot end: whatever needs it at the target waits until `release`. */
export async function holdLock(url: string, statement: string): Promise<{ release: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('BEGIN');
  await client.query(statement);
  return { release: () => client.end() };
}

/** Principals of Mayfly that could still log in. */
export const usablePrincipals = (targetUrl: string) =>
  query<{ rolname: string }>(
    targetUrl,
    "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname ~ '^k[0-9a-z]{3}[0-9a-hjkmnp-tv-z]{26}$'",
  );
