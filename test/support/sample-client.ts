/** The sample world's orchestrator and analyst against a running stack. */
import { v7 as uuidv7 } from 'uuid';
import { MayflyClient } from '../../apps/cli/src/mayfly-client.js';
import type { TaskStarted } from '#events/inbound.js';
import type { EventOf, OutboundEvent, OutboundType } from '#events/outbound.js';
import type { TestStack } from './stack.mjs';

export const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
export const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
export const PLANNER = 'spiffe://dev.mayfly/agent/planner';
export const WITHIN_MS = 60_000;

export const openClient = (stack: TestStack) =>
  MayflyClient.open({ ...process.env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir });

export const declaration = (change: Partial<TaskStarted> = {}): TaskStarted => ({
  taskId: uuidv7(),
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'a'.repeat(64),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: ANALYST }],
  declared: [
    { tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] },
    { tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] },
  ],
  deadline: new Date(Date.now() + 600_000).toISOString(),
  risk: 'low',
  ...change,
});

/** Declares a task and waits until the broker has accepted it. @returns its id */
export async function startTask(client: MayflyClient, change: Partial<TaskStarted> = {}): Promise<string> {
  const data = declaration(change);
  const verdict = await (await client.send('task.started', data, ORCHESTRATOR, WITHIN_MS)).verdict;
  if (verdict.type !== 'task.accepted') throw new Error(`the task was not accepted: ${verdict.type}`);
  return data.taskId;
}

/** Ends a task. Resolves once the bus has acknowledged it. */
export const endTask = (client: MayflyClient, taskId: string) =>
  client.send('task.ended', { taskId, outcome: 'completed' }, ORCHESTRATOR, WITHIN_MS);

/** Calls for a PostgreSQL user that reads orders. */
export async function callOrders(client: MayflyClient, taskId: string, more: { ttlMs?: number } = {}) {
  const call = { taskId, tool: 'sql.query', dataset: 'crm.orders', action: 'read', ...more };
  const { callId, credential } = await client.call(call, ANALYST, WITHIN_MS);
  if (credential.kind !== 'postgres') throw new Error(`a credential of kind ${credential.kind} came`);
  return { callId, credential };
}

/** The next event of this type about this task. Ask before doing what causes it. */
export const next = <T extends OutboundType>(client: MayflyClient, type: T, taskId: string) =>
  client.event(
    (event: OutboundEvent): event is EventOf<T> => event.type === type && event.data.taskId === taskId,
    WITHIN_MS,
  );
