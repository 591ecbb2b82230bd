/** Policies and the catalogue change together or not at all: what does not fit is refused, and replaces nothing. */
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import { Metrics } from '#telemetry/metrics.js';
import { World, type BrokerProcess } from '../../test/harness.js';
import { look, RulesFolders } from '../../test/rules-folders.js';
import type { RulesReload } from './reload-rules.js';

const NO_READS = `
@id("guard.closed") @reason("closed for stocktaking")
forbid (principal, action == Mayfly::Action::"readDataset", resource);
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

async function watched(): Promise<{ broker: BrokerProcess; reload: RulesReload }> {
  const broker = await world.start();
  const reload = await rules.watchedBy(broker, metrics);
  await reload.turn();
  return { broker, reload };
}

const told = () => world.events('catalogue', 'catalogue.activated');
const refusals = (of: 'catalogue' | 'policies') =>
  world.logged.filter((line) => line.includes(`a new version of the ${of} is refused`));

it('policies and the entries that they name change at once, and neither before the other', async () => {
  const { broker, reload } = await watched();
  const { judge, catalogue } = broker.parts;
  await writeFile(
    rules.file('policy/finance.cedar'),
    NO_READS.replace('resource)', 'resource in Mayfly::Domain::"finance")'),
  );
  await look(reload);
  expect(broker.parts.judge).toBe(judge);
  expect(refusals('policies')[0]).toMatch(/finance\.cedar:3:\d+: .*ERR_POLICY_NAME/);

  await rules.edit('catalogue/datasets.yaml', 'domains: [crm]', 'domains: [crm, finance]');
  await look(reload);
  await world.quiet();

  expect(broker.parts.judge.digest).not.toBe(judge.digest);
  expect(broker.parts.catalogue.digest).not.toBe(catalogue.digest);
  expect(world.events('policy', 'policy.activated')).toHaveLength(2);
  expect(told()[1]?.changes).toEqual({ datasets: { added: [], removed: [], changed: ['crm.orders'] } });
});

it('calls made while both change are each decided by policies and the catalogue that these were checked with', async () => {
  const { broker, reload } = await watched();
  const tasks = Array.from({ length: 12 }, () => uuidv7());
  // One after the other: they lie on the topic in the order in which they were signed.
  for (const taskId of tasks) await broker.hear(await world.voices.starts(taskId));

  const call = async () => {
    for (const taskId of tasks) await broker.hear(await world.voices.calls(taskId));
  };
  const change = async () => {
    for (const group of ['readers', 'lookers']) {
      await rules.edit('catalogue/agents.yaml', /groups: \[(analysts|readers)\]/, `groups: [${group}]`);
      for (const name of ['tools', 'datasets', 'tasks'])
        await rules.edit(
          `policy/${name}.cedar`,
          /AgentGroup::"(analysts|readers)"/g,
          `AgentGroup::"${group}"`,
        );
      await look(reload);
    }
  };
  for (const outcome of await Promise.allSettled([call(), change()]))
    expect(outcome).toMatchObject({ status: 'fulfilled' });
  const last = uuidv7();
  await broker.hear(await world.voices.starts(last), await world.voices.calls(last));

  for (const taskId of [...tasks, last])
    expect(await world.hears(taskId, 'call.decided')).toMatchObject([{ decision: 'permit' }]);
  await world.quiet();
  expect(told()).toHaveLength(3);
});

it('a catalogue without what a policy names replaces nothing', async () => {
  const { broker, reload } = await watched();
  const { judge, catalogue } = broker.parts;
  await rules.edit('catalogue/agents.yaml', 'groups: [planners]', 'groups: []');
  await look(reload);
  await world.quiet();

  expect(broker.parts).toMatchObject({ judge, catalogue });
  expect(told()).toHaveLength(1);
  expect(refusals('policies')[0]).toContain('planners');
  expect(refusals('catalogue')).toHaveLength(1);
  expect(await metrics.text()).toContain('mayfly_catalogue_version_refused{service="broker"} 1');

  await rules.edit('catalogue/agents.yaml', 'groups: []', 'groups: [planners]');
  await look(reload);

  expect(await metrics.text()).toContain('mayfly_catalogue_version_refused{service="broker"} 0');
  expect(await metrics.text()).toContain('mayfly_policy_version_refused{service="broker"} 0');
});

it('a bad catalogue replaces nothing, is told with its place, and holds up no rule that closes something', async () => {
  const { broker, reload } = await watched();
  const { catalogue } = broker.parts;
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
  await rules.edit('catalogue/agents.yaml', 'groups: [planners]', 'gruops: [planners]');
  await appendFile(rules.file('policy/guards.cedar'), NO_READS);

  await look(reload);
  await look(reload);
  await broker.hear(await world.voices.calls(taskId));

  expect(broker.parts.catalogue).toBe(catalogue);
  expect(refusals('catalogue')).toHaveLength(1);
  expect(refusals('catalogue')[0]).toMatch(/agents\.yaml:\d+: .*ERR_CONFIG_UNKNOWN_KEY/);
  expect(await world.hears(taskId, 'call.decided')).toMatchObject([{ code: 'ERR_DATASET_FORBIDDEN' }]);
  expect(told()).toHaveLength(1);
});

it('a target that is another needs a restart', async () => {
  const { broker, reload } = await watched();
  const { catalogue } = broker.parts;
  await rules.edit('catalogue/targets.yaml', 'maxTtlMs: 900000', 'maxTtlMs: 600000');
  await look(reload);

  expect(broker.parts.catalogue).toBe(catalogue);
  expect(refusals('catalogue')[0]).toMatch(/targets\.yaml:\d+: .*needs a restart.*ERR_CONFIG_NEEDS_RESTART/);
});

it('a folder that is gone is bad, and the catalogue that was read from it is gone by', async () => {
  const { broker, reload } = await watched();
  const { catalogue } = broker.parts;
  await rm(rules.file('catalogue'), { recursive: true });

  await look(reload);

  expect(broker.parts.catalogue).toBe(catalogue);
  expect(refusals('catalogue')[0]).toContain('ERR_CONFIG_MISSING');
});
