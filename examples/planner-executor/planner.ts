/** Reads, plans, and has others act: it may look at orders, and place none. */
import type { IdentitySource } from '#agent/identity-source.js';
import type { Transport } from '#agent/transport.js';
import { joinTask, withTask } from '#agent/with-task.js';
import type { Assignment } from './executor.js';
import { runAgent, ScriptedModel } from './model.js';
import { orderTools } from './order-tools.js';

export const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';

export interface PlannerWorld {
  transport: Transport;
  identity: IdentitySource;
  service: string;
  /** Hands an assignment to the executor, which is another process elsewhere. */
  assign: (assignment: Assignment) => Promise<string>;
  tell: (line: string) => void;
}

export async function plan(
  taskId: string,
  { transport, identity, service, assign, tell }: PlannerWorld,
): Promise<{ result: string; read: readonly string[] }> {
  const wanted = { item: 'paper', quantity: 40 };
  const model = new ScriptedModel('Keep enough paper in stock', [
    () => ({ call: { tool: 'list_orders', arguments: {} } }),
    // It tries to act itself, as a model that was talked into it would.
    () => ({ call: { tool: 'place_order', arguments: wanted } }),
    () => ({ answer: JSON.stringify(wanted) }),
  ]);
  const planned = await joinTask(
    taskId,
    async (task) => {
      const text = await runAgent(model, orderTools(task, service));
      tell(`planner reads    ${model.context[1]}`);
      tell(`planner orders   ${model.context[2]}`);
      await misuse(async (request) => {
        const readOnly = await task.credential({
          tool: 'orders.api',
          dataset: 'orders',
          action: 'read',
          kind: 'jwt',
        });
        return readOnly.fetch(`${service}/orders`, request);
      }, tell);
      return text;
    },
    { transport, agent: identity },
  );
  tell(`planner plans    ${planned}`);

  // begin delegate
  const result = await withTask(
    {
      parent: { taskId },
      purpose: 'Order what the plan says',
      objective: planned,
      principal: { id: 'user:maria@corp.example', kind: 'human' },
      agents: [{ id: EXECUTOR }],
      declared: [{ tool: 'orders.api', dataset: 'orders', actions: ['read', 'write'] }],
      deadline: new Date(Date.now() + 60_000),
      risk: 'low',
    },
    (child) => assign({ taskId: child.id, plan: planned }),
    { transport, identity },
  );
  // end delegate
  return { result, read: model.context };
}

/** The planner's token reads. At the service it does not write, whatever is sent with it. */
async function misuse(
  send: (request: RequestInit) => Promise<Response>,
  tell: (line: string) => void,
): Promise<void> {
  const response = await send({ method: 'POST', body: JSON.stringify({ item: 'gold', quantity: 1 }) });
  const { code } = (await response.json()) as { code: string };
  tell(`its read token   does not write: ${response.status} ${code}`);
}
