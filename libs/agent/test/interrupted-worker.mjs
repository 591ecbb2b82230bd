/** Works on a task for ever, until the test tells it to stop: `node … interrupted-worker.mjs <broker> <stateDir> <orchestrator> <listens>`. */
import { developmentIdentity } from '#agent/development-identity.js';
import { withTask } from '#agent/with-task.js';

const [broker, stateDir, orchestrator, listens] = process.argv.slice(2);
if (listens === 'listens') process.on('SIGTERM', () => process.stdout.write('told\n'));

const declaration = {
  purpose: 'Work for ever',
  objective: 'Work for ever',
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: orchestrator }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: new Date(Date.now() + 600_000),
  risk: 'low',
};

await withTask(
  declaration,
  async (task) => {
    process.stdout.write('at work\n');
    const alive = setInterval(() => {}, 1_000);
    const stopped = new Promise((_, reject) =>
      task.signal.addEventListener('abort', () => reject(task.signal.reason)),
    );
    await stopped.finally(() => clearInterval(alive));
  },
  { broker, identity: developmentIdentity(orchestrator, { stateDir }) },
).catch((error) => process.stdout.write(`${error.code}\n`));
