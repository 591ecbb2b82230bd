/** What is said of a target of any kind. Values may come from `${…}` interpolation, so numbers may arrive as text. */
import { z } from 'zod';

/** The limits of what any target may allow. */
export const LONGEST_LEASE_MS = 86_400_000;
export const SHORTEST_LEASE_MS = 1_000;

export const anyTarget = {
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'expected a name of at most 128 characters'),
  /** The longest lease this target allows, in milliseconds. */
  maxTtlMs: z.coerce.number().int().min(SHORTEST_LEASE_MS).max(LONGEST_LEASE_MS),
};
