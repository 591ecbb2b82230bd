/** The policy folder changes while brokers are at work. */
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { v7 as uuidv7 } from 'uuid';
import type { PolicySet } from '#policy/policy-set.js';
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

const file = (name: string) => rules.file(`policy/${name}`);
const watchedBy = (broker: BrokerProcess) => rules.watchedBy(broker);

async function watched(measuredBy = metrics): Promise<{ broker: BrokerProcess; policies: RulesReload }> {
  const broker = await world.start();
  const policies = await rules.watchedBy(broker, measuredBy);
  await policies.turn();
  return { broker, policies };
}

const told = () => world.events('policy', 'policy.activated');
const refusals = () =>
  world.logged.filter((line) => line.includes('a new version of the policies is refused'));

it('brokers that start at once tell the first set once, with all its policies', async () => {
  const brokers = await Promise.all([world.start(), world.start(), world.start()]);
  const all = await Promise.all(brokers.map((broker) => watchedBy(broker)));

  await Promise.all(all.map((policies) => policies.turn()));
  await world.quiet();

  const set = brokers[0]?.parts.judge as PolicySet;
  expect(told()).toEqual([
    {
      ...{ taskId: 'policy', generation: 0, actor: '//mayfly/broker', at: expect.any(String) as string },
      ...{ policySet: set.digest, added: set.policyIds, removed: [], changed: [] },
      ...{ policies: set.policyIds.length, by: expect.stringMatching(/^os:/) as string },
    },
  ]);
});

it('a start with the set of before tells nothing; a change that nobody saw is told at the next start', async () => {
  const { broker } = await watched();
  await (await watchedBy(broker)).turn();
  await appendFile(file('guards.cedar'), NO_READS);
  const tools = await readFile(file('tools.cedar'), 'utf8');
  await writeFile(file('tools.cedar'), tools.replace('@ttl("300")', '@ttl("200")'));
  const tasks = await readFile(file('guards.cedar'), 'utf8');
  await writeFile(file('guards.cedar'), tasks.replace('@id("guard.drift")', '@id("guard.drifted")'));

  await (await watchedBy(broker)).turn();
  await world.quiet();

  expect(told()).toHaveLength(2);
  expect(told()[1]).toMatchObject({
    previous: told()[0]?.policySet,
    added: ['guard.closed', 'guard.drifted'],
    removed: ['guard.drift'],
    changed: ['tools.warehouse'],
  });
});

it('a new version decides the next call, and the log tells of it before', async () => {
  const { broker, policies } = await watched();
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId), await world.voices.calls(taskId));
  await world.hears(taskId, 'lease.issued');

  await appendFile(file('guards.cedar'), NO_READS);
  await look(policies);
  await broker.hear(await world.voices.calls(taskId));
  const [before, after] = await world.hears(taskId, 'call.decided', 2);
  await world.quiet();

  expect(told().map(({ policySet }) => policySet)).toEqual([before?.policySet, after?.policySet]);
  expect(told()[1]).toMatchObject({ previous: before?.policySet, added: ['guard.closed'], changed: [] });
  expect(after).toMatchObject({ decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' });
  expect(await metrics.text()).toContain(
    'mayfly_policy_versions_total{outcome="activated",service="broker"} 1',
  );
});

it('two brokers that see the same change tell it once, and both decide by it', async () => {
  const brokers = [await watched(), await watched(new Metrics('broker'))];
  await appendFile(file('guards.cedar'), NO_READS);

  await Promise.all(brokers.map(({ policies }) => look(policies)));
  await world.quiet();

  expect(told()).toHaveLength(2);
  expect(new Set(brokers.map(({ broker }) => broker.parts.judge.digest))).toEqual(
    new Set([told()[1]?.policySet]),
  );
});

it('a bad version replaces nothing, is told with all that is wrong, and is tried again only when it changes', async () => {
  const { broker, policies } = await watched();
  const good = broker.parts.judge;
  await writeFile(
    file('a.cedar'),
    NO_READS.replace('resource);', 'resource) when { context.now.calls + 1 > 2 };'),
  );
  await writeFile(file('b.cedar'), 'permit (principal);');

  await look(policies);
  await look(policies);
  await world.quiet();

  expect(broker.parts.judge).toBe(good);
  expect(told()).toHaveLength(1);
  expect(refusals()).toHaveLength(1);
  expect(refusals()[0]).toMatch(/a\.cedar:3:\d+: .*ERR_POLICY_FAIL_OPEN.*b\.cedar:1:18: .*ERR_POLICY_SYNTAX/);
  expect(await metrics.text()).toContain(
    'mayfly_policy_versions_total{outcome="refused",service="broker"} 1',
  );
  expect(await metrics.text()).toContain('mayfly_policy_version_refused{service="broker"} 1');

  await rm(file('b.cedar'));
  await writeFile(file('a.cedar'), NO_READS);
  await look(policies);

  expect(broker.parts.judge).not.toBe(good);
  expect(refusals()).toHaveLength(1);
  expect(await metrics.text()).toContain('mayfly_policy_version_refused{service="broker"} 0');
});

it('a version that fails a test of its own is bad', async () => {
  const { broker, policies } = await watched();
  const good = broker.parts.judge;
  await cp('deploy/sample/policy/tests', file('tests'), { recursive: true });
  await appendFile(file('guards.cedar'), NO_READS);

  await look(policies);

  expect(broker.parts.judge).toBe(good);
  expect(refusals()[0]).toContain('the analyst reads orders: expected decision');
});

it('a folder that is gone is bad, and the set that was read from it decides', async () => {
  const { broker, policies } = await watched();
  const good = broker.parts.judge;
  await rm(file(''), { recursive: true });

  await look(policies);

  expect(broker.parts.judge).toBe(good);
  expect(refusals()).toHaveLength(1);
});

it('a version that is still being written is let alone', async () => {
  const { broker, policies } = await watched();
  const good = broker.parts.judge;
  await writeFile(file('permits.cedar'), NO_READS);
  await policies.turn();
  await writeFile(file('guards-of-them.cedar'), NO_READS.replace('guard.closed', 'guard.closed-too'));
  await policies.turn();

  expect(broker.parts.judge).toBe(good);

  await policies.turn();

  expect((broker.parts.judge as PolicySet).policyIds).toEqual(
    expect.arrayContaining(['guard.closed', 'guard.closed-too']),
  );
});

it('a version that differs in comments only decides, and nothing is told', async () => {
  const { policies } = await watched();
  await appendFile(file('guards.cedar'), '// why not\n');

  await look(policies);
  await world.quiet();

  expect(told()).toHaveLength(1);
});

it('a database that is away delays a new version, and loses none', async () => {
  const { broker, policies } = await watched();
  const good = broker.parts.judge;
  await world.query('ALTER TABLE active_policy RENAME TO away');
  await appendFile(file('guards.cedar'), NO_READS);

  await policies.turn();
  await expect(policies.turn()).rejects.toThrow();
  expect(broker.parts.judge).toBe(good);
  await world.query('ALTER TABLE away RENAME TO active_policy');
  await policies.turn();
  await world.quiet();

  expect(broker.parts.judge).not.toBe(good);
  expect(told()).toHaveLength(2);
});

it('decisions made while policies change are each made by one whole set', async () => {
  const { broker, policies } = await watched();
  const tasks = Array.from({ length: 12 }, () => uuidv7());
  const names = ['guards.cedar', 'datasets.cedar', 'tools.cedar'];
  // One after the other: they lie on the topic in the order in which they were signed.
  for (const taskId of tasks) await broker.hear(await world.voices.starts(taskId));

  const call = async () => {
    for (const taskId of tasks) await broker.hear(await world.voices.calls(taskId));
  };
  const change = async () => {
    for (const version of ['one', 'two']) {
      for (const name of names) {
        const text = await readFile(file(name), 'utf8');
        await writeFile(
          file(name),
          text.replaceAll(/@id\("([a-z]+\.[a-z-]+)[^"]*"\)/g, `@id("$1.${version}")`),
        );
      }
      await look(policies);
    }
  };
  for (const outcome of await Promise.allSettled([call(), change()]))
    expect(outcome).toMatchObject({ status: 'fulfilled' });
  const last = uuidv7();
  await broker.hear(await world.voices.starts(last), await world.voices.calls(last));
  await world.quiet();

  const sets = told().map(({ policySet }) => policySet);
  const suffixes = ['', '.one', '.two'];
  expect(sets).toHaveLength(3);
  for (const taskId of [...tasks, last]) {
    const [decided] = await world.hears(taskId, 'call.decided');
    const suffix = suffixes[sets.indexOf(decided?.policySet ?? '')];
    expect(decided?.checks.flatMap((check) => check.policies ?? [])).toEqual([
      `tools.warehouse${suffix}`,
      `data.crm-read${suffix}`,
    ]);
  }
  expect(world.events(last, 'call.decided')[0]?.policySet).toBe(sets[2]);
});
