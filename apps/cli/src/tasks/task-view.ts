/** `mayfly task drift`, `suspend` and `resume`: what people see of a task, and say of it. */
import { z } from 'zod';
import { doorOf, type AsPerson } from '../service-door.js';
import type { CommandContext } from '../commands/context.js';
import { asTaskId } from '../state-folder.js';
import { driftText } from './drift-text.js';
import { shownDrift } from './shown-drift.js';

/** Who stops tasks in the sample, unless told otherwise. */
export const SAMPLE_PERSON_OPERATOR = 'user:nadia@corp.example';

const ordered = z.object({
  taskId: z.string(),
  state: z.string(),
  generation: z.int(),
  suspendedFor: z.array(z.string()),
  changed: z.boolean(),
});

export async function taskDrift(id: string, as: AsPerson, { env, output }: CommandContext): Promise<void> {
  const taskId = asTaskId(id);
  const door = await doorOf(as, env);
  const shown = shownDrift.parse(await door.ask('GET', `/v1/tasks/${taskId}/drift`));
  output.answer(driftText(shown), shown);
}

export async function taskOrder(
  is: 'suspend' | 'resume',
  id: string,
  { reason, ...as }: AsPerson & { reason: string },
  { env, output }: CommandContext,
): Promise<void> {
  const taskId = asTaskId(id);
  const door = await doorOf(as, env);
  const given = ordered.parse(await door.ask('POST', `/v1/tasks/${taskId}/${is}`, { reason }));
  if (!given.changed) output.remark(UNCHANGED[is]);
  const causes = given.suspendedFor.length === 0 ? '' : ` (${given.suspendedFor.join(', ')})`;
  output.answer(`${taskId} ${given.state}${causes}, generation ${given.generation}`, given);
}

const UNCHANGED = {
  suspend: 'an operator had suspended it before',
  resume: 'it was not suspended',
} as const;
