import type { Migration } from '#store/migrate.js';

export const orderMigrations: readonly Migration[] = [
  {
    id: 'revoker-orders-1',
    sql: `
      -- What operators ordered to be cut. ce_id: of the record that tells of it, and the cause of all that is done for it.
      -- covers_until: of a target, or of everything: a lease intended until then is due whenever it is heard of.
      -- walked_to: leases up to this id are due; walked_at: all that were known are. read_to: where the bus ended then. leases: how many, once all were proven cut.
      CREATE TABLE revocation_order (
        order_id text PRIMARY KEY, scope text NOT NULL, subject text, ordered_by text NOT NULL, reason text NOT NULL,
        ce_id text NOT NULL, ordered_at timestamptz NOT NULL, covers_until timestamptz NOT NULL,
        walked_to text NOT NULL DEFAULT '', walked_at timestamptz, read_to jsonb, proven_at timestamptz, leases int);
      CREATE INDEX revocation_order_open ON revocation_order (ordered_at) WHERE proven_at IS NULL;
      CREATE INDEX revocation_order_late ON revocation_order (covers_until) WHERE scope IN ('target', 'all');

      -- Leases that an order concerns, and that were dying of something else when it came.
      CREATE TABLE revocation_order_lease (
        order_id text NOT NULL REFERENCES revocation_order ON DELETE CASCADE, lease_id text NOT NULL,
        PRIMARY KEY (order_id, lease_id));
      -- And those that die of it.
      CREATE INDEX lease_ordered ON lease ((body#>>'{revocation,causedBy}'))
        WHERE body#>>'{revocation,cause}' IN ('operator', 'agent_revoked');

      -- Agents that were ever revoked. A lease of a lower generation of its agent is dead, whenever it is heard of.
      CREATE TABLE revoked_agent (
        agent text PRIMARY KEY, generation_below int NOT NULL, is_revoked boolean NOT NULL, caused_by text);
    `,
  },
];
