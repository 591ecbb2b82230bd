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

export interface Execution {
  result: string;
  /** All that its model was given to read. */
  read: readonly string[];
  /** One more look at the orders, with a token that outlived its task in somebody's memory. */
  lookAgain: () => Promise<Response>;
}

export async function execute(
  { taskId, plan }: Assignment,
  at: { transport: Transport; identity: IdentitySource; service: string },
): Promise<Execution> {
  const orders = `${at.service}/orders`;
  const model = new ScriptedModel(`Carry out this plan: ${plan}`, [
    () => ({ call: { tool: 'place_order', arguments: JSON.parse(plan) as Record<string, unknown> } }),
    (context) => ({ answer: context.at(-1) ?? '' }),
  ]);
  // begin join
  const joined = await joinTask(
    taskId,
    async (task) => {
      const result = await runAgent(model, orderTools(task, at.service));
      const kept = await task.credential({
        tool: 'orders.api',
        dataset: 'orders',
        action: 'read',
        kind: 'jwt',
      });
      return { result, kept };
    },
    { transport: at.transport, agent: at.identity },
  );
  // end join
  const { result, kept } = joined;
  // `kept.fetch` would refuse by itself by then: this is what somebody would do who has both token and key.
  // begin by-hand
  const lookAgain = () =>
    fetch(orders, {
      headers: { authorization: `DPoP ${kept.token.reveal()}`, dpop: kept.proof('GET', orders) },
    });
  // end by-hand
  return { result, read: model.context, lookAgain };
}
