import type { Migration } from '#store/migrate.js';

/** Tables and columns for what is asked over HTTP. */
export const httpMigrations: readonly Migration[] = [
  {
    id: 'broker-http-1',
    sql: `
      -- Where the outcome of a call goes: on the delivery topic, or in the reply to the request that made it.
      ALTER TABLE call ADD COLUMN answered_in text NOT NULL DEFAULT 'delivery' CHECK (answered_in IN ('delivery', 'reply'));
    `,
  },
  {
    id: 'broker-http-2',
    sql: `
      -- DPoP proofs that were used, until they would be too old.
      CREATE TABLE used_proof (jkt text NOT NULL, jti text NOT NULL, expires_at timestamptz NOT NULL, PRIMARY KEY (jkt, jti));
      CREATE INDEX used_proof_over ON used_proof (expires_at);

      -- The key with which a client's assertion came first, by the assertion's digest.
      CREATE TABLE client_assertion (sha256 text PRIMARY KEY, jkt text NOT NULL, expires_at timestamptz NOT NULL);
      CREATE INDEX client_assertion_over ON client_assertion (expires_at);
    `,
  },
];
