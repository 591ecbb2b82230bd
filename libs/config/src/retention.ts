/** For how long the services keep what nothing asks for any more: section `retention`. Configured in hours and days, used in ms. */
import { z } from 'zod';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const atLeast = (least: number, byDefault: number) =>
  z.int().min(least, `must be at least ${least}`).max(36_500, 'must be at most 36500').default(byDefault);

export const retentionSchema = z.strictObject({
  /** Longer than a topic holds a record: 7 days, and on Kafka until its whole segment is as old, which is 7 more. */
  inboxDays: atLeast(8, 15),
  /** Of ended tasks, after the moment until which any of their leases could have lived (protocol: 24 h). */
  endedTaskHours: atLeast(24, 24),
  /** Of ended tasks too: their events, with which their rows go. */
  streamDays: atLeast(1, 30),
  /** As long as the log keeps the entries that name them. */
  decisionInputDays: atLeast(1, 400),
});

export interface Retention {
  inboxMs: number;
  endedMs: number;
  streamMs: number;
  decisionInputMs: number;
}

export const retentionOf = (given: z.infer<typeof retentionSchema>): Retention => ({
  inboxMs: given.inboxDays * DAY_MS,
  endedMs: given.endedTaskHours * HOUR_MS,
  streamMs: given.streamDays * DAY_MS,
  decisionInputMs: given.decisionInputDays * DAY_MS,
});
