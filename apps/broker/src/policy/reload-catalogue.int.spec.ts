/** The catalogue changes while brokers are at work: what is new is lent, and what is gone is not. */
import { appendFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import { Metrics } from '#telemetry/metrics.js';
import { World, type BrokerProcess } from '../../test/harness.js';
import { look, RulesFolders } from '../../test/rules-folders.js';
import { ANALYST, ORCHESTRATOR } from '../../test/voices.js';
import type { RulesReload } from './reload-rules.js';

const MINUTE = 60_000;
const NEWCOMER = 'spiffe://dev.mayfly/agent/newcomer';
/** An analyst. */
const NEWCOMERS_ENTRY = `
- id: ${NEWCOMER}
  groups: [analysts]
  owner: user:maria@corp.example
  environment: development
  attested: false
  maxConcurrentTasks: 1000
`;

let world: World;
let rules: RulesFolders;
let metrics: Metrics;
beforeEach(async () => {
  world = await World.open();
  rules = await RulesFolders.copy();
  metrics = new Metrics('broker');
});
afterEach(async () => {
  await world.close();
  await rules.remove();
});

async function watched(measuredBy = metrics): Promise<{ broker: BrokerProcess; reload: RulesReload }> {
  const broker = await world.start();
  const reload = await rules.watchedBy(broker, measuredBy);
  await reload.turn();
  return { broker, reload };
}

const told = () => world.events('catalogue', 'catalogue.activated');

async function addNewcomer(): Promise<void> {
  await appendFile(rules.file('catalogue/agents.yaml'), NEWCOMERS_ENTRY);
  await rules.edit(
    'catalogue/orchestrators.yaml',
    `    - ${ANALYST}\n`,
    `    - ${ANALYST}\n    - ${NEWCOMER}\n`,
  );
}

/** The analyst is gone, and another one is there, so that policies still name somebody. */
async function replaceAnalyst(): Promise<void> {
  await rules.edit('catalogue/agents.yaml', ANALYST, NEWCOMER);
  await rules.edit('catalogue/orchestrators.yaml', ANALYST, NEWCOMER);
}

async function withoutCustomers(): Promise<void> {
  await rules.edit('catalogue/datasets.yaml', /- id: crm\.customers[^]*?(?=- id)/, '');
  await rules.edit('catalogue/orchestrators.yaml', 'crm.customers, ', '');
}

const customers = [{ tool: 'sql.query', dataset: 'crm.customers', actions: ['read'] }];

it('brokers that start at once tell the first catalogue once, with what it has', async () => {
  const brokers = await Promise.all([world.start(), world.start(), world.start()]);
  const all = await Promise.all(brokers.map((broker) => rules.watchedBy(broker)));

  await Promise.all(all.map((reload) => reload.turn()));
  await world.quiet();

  expect(told()).toEqual([
    {
      ...{ taskId: 'catalogue', generation: 0, actor: '//mayfly/broker', at: expect.any(String) as string },
      catalogue: brokers[0]?.parts.catalogue.digest,
      changes: expect.objectContaining({
        orchestrators: { added: [ORCHESTRATOR], removed: [], changed: [] },
        datasets: {
          ...{ added: ['crm.customers', 'crm.orders', 'hr.salaries', 'orders'], removed: [], changed: [] },
        },
      }) as object,
      entries: { orchestrators: 1, operators: 5, agents: 3, tools: 4, datasets: 4, targets: 4 },
      by: expect.stringMatching(/^os:/) as string,
    },
  ]);
});

it('a new agent may be declared and may call, and the log tells of it before', async () => {
  const { broker, reload } = await watched();
  const [before, after] = [uuidv7(), uuidv7()];
  const agents = [{ id: NEWCOMER }];
  await broker.hear(await world.voices.starts(before, { agents }));
  await world.hears(before, 'task.refused');
  const { digest } = broker.parts.catalogue;

  await addNewcomer();
  await look(reload);
  await broker.hear(await world.voices.starts(after, { agents }));
  await broker.hear(await world.voices.calls(after, {}, NEWCOMER));
  await world.hears(after, 'lease.issued');
  await world.quiet();

  expect(told()).toHaveLength(2);
  expect(told()[1]).toMatchObject({
    ...{ catalogue: broker.parts.catalogue.digest, previous: digest },
    changes: {
      agents: { added: [NEWCOMER], removed: [], changed: [] },
      orchestrators: { added: [], removed: [], changed: [ORCHESTRATOR] },
    },
  });
  expect(await metrics.text()).toContain(
    'mayfly_catalogue_versions_total{outcome="activated",service="broker"} 1',
  );
});

describe('of what is gone nothing new is lent, and what was lent runs out', () => {
  it('an agent', async () => {
    const { broker, reload } = await watched();
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId, { ttlMs: MINUTE }));
    const [lease] = await world.hears(taskId, 'lease.issued');

    await replaceAnalyst();
    await look(reload);
    await broker.hear(await world.voices.calls(taskId));
    await broker.hear(await world.voices.renews(taskId, lease!.leaseId, 2 * MINUTE));

    const [, refused] = await world.hears(taskId, 'call.decided', 2);
    expect(refused).toMatchObject({ decision: 'deny', code: 'ERR_AGENT_UNKNOWN' });
    expect(refused?.checks.at(-1)).toMatchObject({ check: 'agent_known', ok: false });
    const [renewal] = await world.hears(taskId, 'lease.renewal_refused');
    expect(renewal).toMatchObject({ leaseId: lease?.leaseId, code: 'ERR_AGENT_UNKNOWN' });
    expect(world.typesOf(taskId)).not.toContain('task.ended');
  });

  it('a dataset', async () => {
    const { broker, reload } = await watched();
    const taskId = uuidv7();
    await broker.hear(await world.voices.starts(taskId, { declared: customers }));
    await broker.hear(await world.voices.calls(taskId, { dataset: 'crm.customers', ttlMs: MINUTE }));
    const [lease] = await world.hears(taskId, 'lease.issued');

    await withoutCustomers();
    await look(reload);
    await broker.hear(await world.voices.calls(taskId, { dataset: 'crm.customers' }));
    await broker.hear(await world.voices.renews(taskId, lease!.leaseId, 2 * MINUTE));

    const [, refused] = await world.hears(taskId, 'call.decided', 2);
    expect(refused).toMatchObject({ decision: 'deny', code: 'ERR_DATASET_UNKNOWN' });
    const [renewal] = await world.hears(taskId, 'lease.renewal_refused');
    expect(renewal).toMatchObject({ code: 'ERR_DATASET_UNKNOWN' });
  });

  it('an orchestrator: it starts no more tasks, and ends the one that it has', async () => {
    const { broker, reload } = await watched();
    const [taskId, next] = [uuidv7(), uuidv7()];
    await broker.hear(await world.voices.starts(taskId));
    await world.hears(taskId, 'task.accepted');

    await rules.edit('catalogue/orchestrators.yaml', ORCHESTRATOR, `${ORCHESTRATOR}-2`);
    await look(reload);
    await broker.hear(await world.voices.starts(next), await world.voices.ends(taskId));

    expect(await world.hears(taskId, 'task.ended')).toHaveLength(1);
    expect(await world.hears(next, 'event.rejected')).toMatchObject([{ code: 'ERR_NOT_ENTITLED' }]);
  });
});

it('two brokers that see the same change tell it once, and both go by it', async () => {
  const brokers = [await watched(), await watched(new Metrics('broker'))];
  await addNewcomer();

  await Promise.all(brokers.map(({ reload }) => look(reload)));
  await world.quiet();

  expect(told()).toHaveLength(2);
  for (const { broker } of brokers) expect(broker.parts.catalogue.agents.has(NEWCOMER)).toBe(true);
});

it('a change that nobody saw is told at the next start', async () => {
  const { broker } = await watched();
  await withoutCustomers();

  await (await rules.watchedBy(broker)).turn();
  await world.quiet();

  expect(told()[1]).toMatchObject({ changes: { datasets: { removed: ['crm.customers'] } } });
});
