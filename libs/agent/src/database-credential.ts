/** A PostgreSQL user in use: what `pg` wants to know, and nothing that shows the password when it is printed. */
import type { OpenedPostgres } from './open-envelope.js';
import type { Renew, RenewOptions } from './renewal.js';

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
  /** RFC 3339. A later one after a renewal. */
  readonly notAfter: string;
  readonly connection: DatabaseConnection;
  /** Lets it live longer; user and password stay. @returns the new end. @throws as `Task.credential` does */
  renew(options?: RenewOptions): Promise<string>;
}

/** @param ask gives the new end */
export function databaseCredential(
  { leaseId, notAfter, connection }: OpenedPostgres,
  ask: Renew<string>,
): DatabaseCredential {
  let endsAt = notAfter;
  const { host, port, database, user, password, tls } = connection;
  return {
    kind: 'postgres',
    leaseId,
    get notAfter() {
      return endsAt;
    },
    renew: async (options = {}) => (endsAt = await ask(options)),
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
