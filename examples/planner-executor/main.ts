/** One task, two agents. Needs `npm start` and `examples/orders-api` running. */
import { HttpTransport } from '#agent/http-transport.js';
import { withTask } from '#agent/with-task.js';
import { runningMayfly } from '../support/running-mayfly.js';
import { execute } from './executor.js';
import { EXECUTOR, plan } from './planner.js';

const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
const PLANNER = 'spiffe://dev.mayfly/agent/planner';

const service = process.env.MAYFLY_ORDERS_API || 'http://127.0.0.1:7080';
const mayfly = await runningMayfly(process.env);
const transport = new HttpTransport({ url: mayfly.broker });
const tell = (line: string) => console.log(line);
let read: readonly string[] = [];

const write = { tool: 'orders.api', dataset: 'orders', actions: ['write'] };
// begin orchestrate
const planned = await withTask(
  {
    purpose: 'Keep enough paper in stock',
    objective: 'Look at the orders, and order paper if there is too little',
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: PLANNER }, { id: EXECUTOR }],
    declared: [
      { tool: 'orders.api', dataset: 'orders', actions: ['read'], agents: [PLANNER] },
      { ...write, agents: [EXECUTOR] },
    ],
    // The planner may pass on what it may not do itself.
    delegable: [write],
    deadline: new Date(Date.now() + 120_000),
    risk: 'low',
  },
  async (task) => {
    const assign = async (assignment: { taskId: string; plan: string }) => {
      const done = await execute(assignment, { transport, identity: mayfly.identity(EXECUTOR), service });
      read = done.read;
      return done.result;
    };
    return plan(task.id, { transport, identity: mayfly.identity(PLANNER), service, assign, tell });
  },
  { transport, identity: mayfly.identity(ORCHESTRATOR) },
);
// end orchestrate
tell(`executor places  ${planned.result}`);
tell('what the models were given to read:');
for (const text of [...planned.read, ...read]) tell(`  ${text}`);
