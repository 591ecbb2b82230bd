import type { Migration } from '#store/migrate.js';

/** Which policies and which catalogue are gone by, so that a change of them is told once: also one that was made while no broker ran. */
export const policyMigrations: readonly Migration[] = [
  {
    id: 'broker-policy-1',
    sql: `
      -- policies: digests by id, to say later what became another.
      CREATE TABLE active_policy (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), digest text NOT NULL, policies jsonb NOT NULL,
        activated_at timestamptz NOT NULL DEFAULT now());
    `,
  },
  {
    id: 'broker-policy-2',
    sql: `
      -- The same of the catalogue. entries: digests by kind and id.
      CREATE TABLE active_catalogue (
        one boolean PRIMARY KEY DEFAULT true CHECK (one), digest text NOT NULL, entries jsonb NOT NULL,
        activated_at timestamptz NOT NULL DEFAULT now());
    `,
  },
];
