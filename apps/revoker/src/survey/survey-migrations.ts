import type { Migration } from '#store/migrate.js';

export const surveyMigrations: readonly Migration[] = [
  {
    id: 'revoker-survey-1',
    sql: `
      -- Targets as they were seen last, and when they are to be looked at again, by whichever process comes first.
      CREATE TABLE target (
        target text PRIMARY KEY,
        incarnation text,
        sweep_at timestamptz NOT NULL, sweep_deep boolean NOT NULL DEFAULT false, swept_at timestamptz,
        survey_at timestamptz NOT NULL, surveyed_at timestamptz, survey_failed text);

      -- Principals of others that reach what is governed. counts: told as found, and not as gone since.
      CREATE TABLE standing_access (
        target text NOT NULL, principal text NOT NULL,
        counts boolean NOT NULL, found_at timestamptz NOT NULL, access jsonb NOT NULL,
        PRIMARY KEY (target, principal));
    `,
  },
];
