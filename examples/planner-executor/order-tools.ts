/**
 * The tool runtime: it carries out what the model asks for. Credentials live in here, for one call each, and what goes back to the
 * model is the service's answer and nothing else.
 */
import { AgentError } from '#agent/agent-error.js';
import { Refused } from '#agent/refused.js';
import type { Task } from '#agent/task.js';
import type { ToolCall } from './model.js';

const ROUTES = {
  list_orders: { method: 'GET', action: 'read' },
  place_order: { method: 'POST', action: 'write' },
} as const;

// begin tools
export const orderTools = (task: Task, service: string) =>
  async function act({ tool, arguments: given }: ToolCall): Promise<string> {
    const { method, action } = ROUTES[tool as keyof typeof ROUTES] ?? {};
    if (method === undefined) return `there is no tool ${tool}`;
    try {
      const credential = await task.credential({
        tool: 'orders.api',
        dataset: 'orders',
        action,
        kind: 'jwt',
        // What was decided on is what is done: with other arguments the service refuses the token.
        ...(action === 'write' ? { arguments: given } : {}),
      });
      const response = await credential.fetch(`${service}/orders`, {
        method,
        ...(action === 'write' ? { body: JSON.stringify(given) } : {}),
      });
      return await response.text();
    } catch (error) {
      // The model may read why not, so that it can do something else.
      if (error instanceof Refused || error instanceof AgentError) return `${error.code}: ${error.message}`;
      throw error;
    }
  };
// end tools
