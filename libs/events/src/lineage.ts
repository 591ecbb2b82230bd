/** A task and all its ancestors, each with its generation at one moment: the task first, then its parent, and so on. */
import { z } from 'zod';

export const lineage = z.array(z.object({ taskId: z.string(), generation: z.int().positive() }));
export type Lineage = z.infer<typeof lineage>;
