/** A PostgreSQL user in use: what `pg` wants to know, and nothing that shows the password when it is printed. */
import type { OpenedPostgres } from './open-envelope.js';

/** For `new pg.Client(…)` and `new pg.Pool(…)`. */
export interface DatabaseConnection {
  host: string;
  port: number;
  database: string;
  user: string;
  /** `pg` calls it when it logs in; printed and written as JSON, there is nothing to see. */
  password: () => string;
  ssl: false | { rejectUnauthorized: true; ca?: string };
}

export interface DatabaseCredential {
  readonly kind: 'postgres';
  readonly leaseId: string;
  /** RFC 3339. */
  readonly notAfter: string;
  readonly connection: DatabaseConnection;
}

export function databaseCredential({ leaseId, notAfter, connection }: OpenedPostgres): DatabaseCredential {
  const { host, port, database, user, password, tls } = connection;
  return {
    kind: 'postgres',
    leaseId,
    notAfter,
    connection: {
      host,
      port,
      database,
      user,
      password: () => password.reveal(),
      ssl:
        tls.mode === 'disable'
          ? false
          : { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    },
  };
}
