/** What the revoker shows of standing access. Names in it are other people's: they are printed with care. */
import { z } from 'zod';

const target = z.object({
  target: z.string(),
  provider: z.string(),
  canBeSurveyed: z.boolean(),
  surveyedAt: z.string().nullable(),
  failed: z.string().nullable(),
});
export type ShownTarget = z.infer<typeof target>;

const standing = z.object({
  target: z.string(),
  provider: z.string(),
  principal: z.string(),
  reaches: z.array(
    z.object({ dataset: z.string(), actions: z.array(z.string()), owner: z.string().optional() }),
  ),
  how: z.array(
    z.object({
      way: z.string(),
      through: z.string().optional(),
      object: z.string().optional(),
      rights: z.array(z.string()).optional(),
    }),
  ),
  neverExpires: z.boolean(),
  foundAt: z.string(),
  allowed: z.object({ reason: z.string(), review: z.string(), overdue: z.boolean() }).nullable(),
  remedy: z.array(z.string()),
});
export type ShownStanding = z.infer<typeof standing>;

export const shownStandingAccess = z.object({ targets: z.array(target), standing: z.array(standing) });
export type ShownStandingAccess = z.infer<typeof shownStandingAccess>;

/** Nobody lets it be, or the day of its review is over. */
export const counts = ({ allowed }: ShownStanding): boolean => allowed === null || allowed.overdue;
