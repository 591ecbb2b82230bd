/** What a task is declared with in specs, and a broker over HTTP that takes it. */
import type { Declaration, TaskOptions } from '../src/with-task.js';
import { HttpTransport } from '../src/http-transport.js';
import { EXECUTOR, FakeBroker, ORCHESTRATOR } from './fake-broker.js';
import { serve, type FakeHttpBroker } from './fake-http-broker.js';

export const declaration: Declaration = {
  purpose: 'Reconcile October invoices',
  objective: 'Add up all that was paid in October',
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: EXECUTOR }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: new Date('2099-01-01T00:00:00Z'),
  risk: 'low',
};
export const read = { tool: 'sql.query', dataset: 'crm.orders', action: 'read' } as const;

export async function serveTask(): Promise<{
  broker: FakeBroker;
  http: FakeHttpBroker;
  options: TaskOptions;
}> {
  const broker = await FakeBroker.open();
  const http = await serve(broker);
  const options = {
    transport: new HttpTransport({ url: http.url, retryAfterMs: 20 }),
    identity: broker.identity(ORCHESTRATOR),
    agent: broker.identity(EXECUTOR),
    endsOnSignals: false,
  };
  return { broker, http, options };
}
