/** What the revoker tells of a target as such: that it is another life of it, and who can get at its data without a lease. */
import { z } from 'zod';

/**
 * `superuser`: nothing is closed to it. `replication`: it can copy the whole server. `server_files`: it can read or write the server's own
 * files, or run programs there. `all_data`: a right to all data, whoever owns it. `public`: everybody has it. `may_grant`: it has none of it, and
 * can give it to itself. `bypass_rls`, beside one of these: it sees all rows, whatever filters there are.
 */
export const STANDING_WAYS = [
  'superuser',
  'replication',
  'server_files',
  'all_data',
  'owner',
  'grant',
  'public',
  'may_grant',
  'bypass_rls',
] as const;
/** `allowed`: it is there, and an operator lets it be. */
export const STANDING_GONE = ['no_access', 'allowed'] as const;

const whose = { target: z.string(), provider: z.string(), principal: z.string() };

export const standingAccessFound = {
  ...whose,
  reaches: z.array(z.object({ dataset: z.string(), actions: z.array(z.string()) })),
  /** So many datasets that `reaches` leaves out. */
  more: z.int().positive().optional(),
  ways: z.array(z.enum(STANDING_WAYS)),
  neverExpires: z.boolean(),
  /** Of the datasets, as the catalogue names them. */
  owners: z.array(z.string()),
};

export const standingAccessGone = {
  ...whose,
  why: z.enum(STANDING_GONE),
  /** Of the entry that allows it, with the last day on which it does. */
  reason: z.string().optional(),
  review: z.string().optional(),
};

/** Incarnations as providers see them: they name a life of the server, and nothing else can be read from them. */
export const targetRestarted = {
  target: z.string(),
  provider: z.string(),
  incarnation: z.string(),
  previous: z.string(),
};

export const orphanCut = {
  leaseId: z.string(),
  target: z.string(),
  principal: z.string(),
  /** From when it was found to the proof. */
  exposureMs: z.int().nonnegative(),
};
