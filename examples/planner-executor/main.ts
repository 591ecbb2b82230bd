/** One task, two agents. Needs `npm start` and `examples/orders-api` running. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpTransport } from '#agent/http-transport.js';
import { withTask } from '#agent/with-task.js';
import { runningMayfly } from '../support/running-mayfly.js';
import { execute, type Assignment, type Execution } from './executor.js';
import { EXECUTOR, plan } from './planner.js';

const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
const PLANNER = 'spiffe://dev.mayfly/agent/planner';

const service = process.env.MAYFLY_ORDERS_API || 'http://127.0.0.1:7080';
const mayfly = await runningMayfly(process.env);
const transport = new HttpTransport({ url: mayfly.broker });
const tell = (line: string) => console.log(line);
let done: Execution | undefined;

const orders = { tool: 'orders.api', dataset: 'orders' };
// begin orchestrate
const planned = await withTask(
  {
    purpose: 'Keep enough paper in stock',
    objective: 'Look at the orders, and order paper if there is too little',
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: PLANNER }, { id: EXECUTOR }],
    declared: [
      { ...orders, actions: ['read'], agents: [PLANNER] },
      { ...orders, actions: ['read', 'write'], agents: [EXECUTOR] },
    ],
    // The planner may pass on what it may not do itself.
    delegable: [{ ...orders, actions: ['read', 'write'] }],
    deadline: new Date(Date.now() + 120_000),
    risk: 'low',
  },
  async (task) => {
    const assign = async (assignment: Assignment) => {
      done = await execute(assignment, { transport, identity: mayfly.identity(EXECUTOR), service });
      return done.result;
    };
    return plan(task.id, { transport, identity: mayfly.identity(PLANNER), service, assign, tell });
  },
  { transport, identity: mayfly.identity(ORCHESTRATOR) },
);
// end orchestrate
tell(`executor places  ${planned.result}`);
if (done !== undefined) tell(`its token, kept  is dead: ${await untilRefused(done.lookAgain)}`);
tell('what the models were given to read:');
for (const text of [...planned.read, ...(done?.read ?? [])]) tell(`  ${text}`);

/** The end of a task reaches verifiers within milliseconds, not within none. */
async function untilRefused(look: () => Promise<Response>): Promise<string> {
  for (let tries = 0; tries < 250; tries += 1) {
    const response = await look();
    const body = (await response.json()) as { code?: string };
    if (!response.ok) return `${response.status} ${body.code}`;
    await sleep(20);
  }
  return 'no, it lives';
}
