import type { Migration } from '#store/migrate.js';

/** Which policy set decides, so that a change of it is told once: also one that was made while no broker ran. */
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
];
