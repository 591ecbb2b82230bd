/** A Redis user in use: what a client wants to know, and nothing that shows the password when it is printed. */
import type { OpenedRedis } from './open-envelope.js';
import type { Renew, RenewOptions } from './renewal.js';

/** The same user on every node; where there are several, the first is `host` and `port`. */
export interface RedisConnection {
  host: string;
  port: number;
  nodes: { host: string; port: number }[];
  username: string;
  /** Called where the client is made; printed and written as JSON, there is nothing to see. */
  password: () => string;
  tls: false | { rejectUnauthorized: true; ca?: string };
}

export interface RedisCredential {
  readonly kind: 'redis';
  readonly leaseId: string;
  /** RFC 3339. A later one after a renewal. */
  readonly notAfter: string;
  readonly connection: RedisConnection;
  /** Lets it live longer; user and password stay. @returns the new end. @throws as `Task.credential` does */
  renew(options?: RenewOptions): Promise<string>;
}

/** @param ask gives the new end */
export function redisCredential(
  { leaseId, notAfter, connection }: OpenedRedis,
  ask: Renew<string>,
): RedisCredential {
  let endsAt = notAfter;
  const { password, tls, ...place } = connection;
  return {
    kind: 'redis',
    leaseId,
    get notAfter() {
      return endsAt;
    },
    renew: async (options = {}) => (endsAt = await ask(options)),
    connection: {
      ...place,
      password: () => password.reveal(),
      tls:
        tls.mode === 'disable'
          ? false
          : { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    },
  };
}
