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
];
