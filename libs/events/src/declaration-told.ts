/** A declaration as Mayfly tells of it: as it was accepted or amended, or why it was not. */
import { z } from 'zod';
import { lineage } from './lineage.js';
import { REFUSAL_CODES } from './refusal.js';

const code = z.enum(REFUSAL_CODES);
const triple = z.object({ tool: z.string(), dataset: z.string().optional(), actions: z.array(z.string()) });

/** What a task may do, and until when. */
export const toldDeclaration = {
  orchestrator: z.string(),
  agents: z.array(z.string()),
  declared: z.array(triple.extend({ agents: z.array(z.string()).optional() })),
  deadline: z.string(),
  risk: z.string(),
  lineage,
  policySet: z.string(),
  /** Orchestrator of the catalogue whose entry bounds the task: the sender's own, or that of its parent's. */
  bounds: z.string(),
  agentsMayEnd: z.boolean(),
  delegable: z.array(triple),
  /** `maxCallsPerMinute` absent: no such limit. */
  limits: z.object({ maxCalls: z.int(), maxRows: z.int(), maxCallsPerMinute: z.int().optional() }),
  policies: z.array(z.string()),
  /** Digest of the kept decision inputs. */
  inputs: z.string(),
};

/** Why not, and what policy had to do with it. */
export const declarationRefused = {
  code,
  reason: z.string(),
  /** All that is wrong with it; where policy was asked, nothing was. */
  problems: z
    .array(
      z.object({
        code,
        reason: z.string(),
        fields: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      }),
    )
    .optional(),
  policies: z.array(z.string()).optional(),
  policySet: z.string().optional(),
  /** Digest of the kept decision inputs, where policy was asked. */
  inputs: z.string().optional(),
};
