/** Acts on a plan: an agent with an identity of its own, in a task that the planner started for it. */
import type { IdentitySource } from '#agent/identity-source.js';
import type { Transport } from '#agent/transport.js';
import { joinTask } from '#agent/with-task.js';
import { runAgent, ScriptedModel } from './model.js';
import { orderTools } from './order-tools.js';

export interface Assignment {
  taskId: string;
  /** Text, as the planner's model wrote it. It says what to do, and gives no right to do it. */
  plan: string;
}

export async function execute(
  { taskId, plan }: Assignment,
  at: { transport: Transport; identity: IdentitySource; service: string },
): Promise<{ result: string; read: readonly string[] }> {
  const model = new ScriptedModel(`Carry out this plan: ${plan}`, [
    () => ({ call: { tool: 'place_order', arguments: JSON.parse(plan) as Record<string, unknown> } }),
    (context) => ({ answer: context.at(-1) ?? '' }),
  ]);
  // begin join
  const result = await joinTask(taskId, (task) => runAgent(model, orderTools(task, at.service)), {
    transport: at.transport,
    agent: at.identity,
  });
  // end join
  return { result, read: model.context };
}
