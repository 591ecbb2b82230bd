/** How far a task has drifted, as the broker says it. */
import { z } from 'zod';

const row = z.object({
  agent: z.string().optional(),
  tool: z.string(),
  dataset: z.string().optional(),
  action: z.string(),
  declared: z.boolean(),
  requested: z.int(),
  granted: z.int(),
  refused: z.int(),
  waiting: z.int(),
  used: z.int(),
  rows: z.int(),
});
export const shownDrift = z.object({
  taskId: z.string(),
  state: z.string(),
  generation: z.int(),
  suspendedFor: z.array(z.string()),
  score: z.int(),
  signals: z.array(
    z.object({
      signal: z.string(),
      agent: z.string(),
      count: z.int(),
      firstAt: z.string(),
      lastAt: z.string(),
    }),
  ),
  rows: z.array(row),
  unattributed: z.object({ reports: z.int(), rows: z.int() }),
  counted: z.object({ events: z.int(), complete: z.boolean() }),
});
export type ShownDrift = z.infer<typeof shownDrift>;
