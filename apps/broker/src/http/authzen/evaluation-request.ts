/**
 * What is asked of `POST /access/v1/evaluation(s)` (OpenID AuthZEN Authorization API 1.0 §6, §7), and what it is about here. Facts
 * come from our own stores alone: `properties` of the caller are not looked at.
 */
import { z } from 'zod';
import { spiffeId, uuidV7 } from '#events/inbound.js';
import type { Act } from '../../evaluate-acts.js';
import { TransportError } from '../problems.js';

export const MAX_EVALUATIONS = 50;
const name = z.string().min(1).max(256);

const subject = z.object({ type: z.literal('agent'), id: spiffeId });
const action = z.object({ name });
const resource = z.object({ type: z.enum(['tool', 'dataset']), id: name });
/** The other half of a call: with which tool, or on which dataset. */
const context = z.object({ task: uuidV7, tool: name.optional(), dataset: name.optional() });

const whole = z
  .object({ subject, action, resource, context })
  .refine(({ resource: { type }, context: { tool } }) => type === 'tool' || tool !== undefined, {
    path: ['context', 'tool'],
    message: 'names the tool',
  })
  .refine(
    ({ resource: { type }, context: { tool, dataset } }) => (type === 'tool' ? tool : dataset) === undefined,
    {
      path: ['context'],
      message: 'does not say the resource again',
    },
  );

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const;
export type Semantic = (typeof SEMANTICS)[number];
const batch = z.object({
  options: z.object({ evaluations_semantic: z.enum(SEMANTICS).default('execute_all') }).optional(),
  evaluations: z.array(z.looseObject({})).max(MAX_EVALUATIONS).optional(),
});
const DEFAULTS = ['subject', 'action', 'resource', 'context'] as const;

export interface Batch {
  semantic: Semantic;
  /** Null for one that cannot be read: it alone is refused. */
  acts: (Act | null)[];
}

/** @throws TransportError ERR_EVALUATION_INVALID, with the member that is wrong */
export function readEvaluation(body: Buffer): Act {
  return actOf(read(whole, parse(body)));
}

/** Without `evaluations` it is one evaluation, and answered as one (§7.1). @throws TransportError ERR_EVALUATION_INVALID */
export function readEvaluations(body: Buffer): Act | Batch {
  const given = parse(body);
  const { options, evaluations = [] } = read(batch, given);
  if (evaluations.length === 0) return actOf(read(whole, given));
  const defaults = given as Record<string, unknown>;
  return {
    semantic: options?.evaluations_semantic ?? 'execute_all',
    acts: evaluations.map((each) => {
      // A member that is given takes the place of the whole default.
      const members = DEFAULTS.map((member) => [member, each[member] ?? defaults[member]] as const);
      const found = whole.safeParse(Object.fromEntries(members));
      return found.success ? actOf(found.data) : null;
    }),
  };
}

function actOf({
  subject: { id: agent },
  action: { name: verb },
  resource: of,
  context: given,
}: z.infer<typeof whole>): Act {
  const common = { taskId: given.task, agent, action: verb };
  return of.type === 'tool'
    ? { ...common, tool: of.id, dataset: given.dataset }
    : { ...common, tool: given.tool ?? '', dataset: of.id };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new TransportError('ERR_EVALUATION_INVALID', 'the body is no JSON');
  }
}

function read<T>(schema: z.ZodType<T>, given: unknown): T {
  const found = schema.safeParse(given);
  if (found.success) return found.data;
  // Names of members are ours: what the caller wrote is not echoed.
  const place = found.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new TransportError('ERR_EVALUATION_INVALID', 'the request cannot be evaluated', { place });
}
