import { v7 as uuidv7 } from 'uuid';
import type { InboundData } from '#events/inbound.js';
import { TASK_EVENTS } from '#events/topics.js';
import { AGENT } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rva');
});
afterAll(() => world.close());
afterEach(async () => {
  await world.stop();
  world.logged.splice(0);
});

const call = (taskId: string): InboundData<'tool.called'> => ({
  taskId,
  callId: uuidv7(),
  tool: 'sql.query',
  dataset: 'crm.orders',
  action: 'read',
  sealTo: { kty: 'OKP', crv: 'X25519', x: 'B'.repeat(43) },
});
const called = (taskId: string) =>
  world.bus
    .records(TASK_EVENTS)
    .findLast(
      ({ key, headers }) => String(key) === taskId && String(headers['ce_type']).includes('tool.called'),
    )!;
const end = (taskId: string): InboundData<'task.ended'> => ({ taskId, outcome: 'completed' });

it('lets an agent end its task with the key of its first call, and with no other', async () => {
  await world.start();
  const taskId = uuidv7();
  await world.startTask(taskId, { agentsMayEnd: true });
  const [agent, thief] = [await world.as(AGENT), await world.withAnotherKey(AGENT)];
  await agent.send('tool.called', call(taskId));
  const plan = world.target.plan();
  await world.say(world.intended(taskId, plan));

  await thief.send('task.ended', end(taskId));
  await world.quiet();
  expect(await world.stateOf(plan.leaseId)).toBe('known');

  await agent.send('task.ended', end(taskId));
  await world.hears(plan.leaseId, 'lease.removed');
});

it('leaves the calls of a task that its agents may not end unverified', async () => {
  await world.start();
  const taskId = uuidv7();
  await world.startTask(taskId);
  await (await world.as(AGENT)).send('tool.called', call(taskId));
  const { topic, value, headers } = called(taskId);
  const asText = Object.entries(headers).map(([name, text]) => [name, String(text)]);
  // Under another key of the bus: whoever verified it would refuse it.
  await world.bus.publish([
    { topic, value, headers: Object.fromEntries(asText) as Record<string, string>, key: uuidv7() },
  ]);
  await world.quiet();
  expect(world.logged.join('')).not.toContain('a task event was refused');
});
