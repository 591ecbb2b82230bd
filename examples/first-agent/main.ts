/** The smallest agent: one task, one database user, one query. Needs `npm start`. */
import pg from 'pg';
import { withTask } from '#agent/with-task.js';
import { runningMayfly } from '../support/running-mayfly.js';

const ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/sample';
const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const SUM = `SELECT count(*)::int AS orders, sum(amount)::text AS amount FROM crm.orders WHERE status = 'paid'`;

const mayfly = await runningMayfly(process.env);

// begin with-task
const paid = await withTask(
  {
    purpose: 'Add up what was paid',
    objective: 'Add up all orders that are paid, and say how many there are',
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: ANALYST }],
    declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
    deadline: new Date(Date.now() + 60_000),
    risk: 'low',
  },
  async (task) => {
    const { connection } = await task.credential({
      tool: 'sql.query',
      dataset: 'crm.orders',
      action: 'read',
      kind: 'postgres',
    });
    const client = new pg.Client(connection);
    await client.connect();
    try {
      const { rows } = await client.query<{ orders: number; amount: string }>(SUM);
      return rows[0];
    } finally {
      await client.end();
    }
  },
  { broker: mayfly.broker, identity: mayfly.identity(ORCHESTRATOR), agent: mayfly.identity(ANALYST) },
);
// end with-task
console.log(`${paid?.orders} paid orders, ${paid?.amount} in all`);
