/** Where creates wait for their target, tenants take turns, and so do the tasks of each. */
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(() => world.close());

it('a task with many calls does not make a task with one wait behind it', async () => {
  const { voices, target } = world;
  const [long, short] = [uuidv7(), uuidv7()];
  for (const taskId of [long, short]) await broker.hear(await voices.starts(taskId));
  target.hang();
  const many = [];
  for (let n = 0; n < 60; n += 1) many.push(await voices.calls(long));
  await broker.hear(...many);
  await world.until(() => target.creates.length === 16, 'as many creates as are sent at once');
  await broker.hear(await voices.calls(short));
  await world.quiet();

  target.answerAll();

  const [issued] = await world.hears(short, 'lease.issued');
  await world.hears(long, 'lease.issued', 60);
  expect(target.creates.indexOf(issued?.leaseId ?? '')).toBeLessThanOrEqual(17);
});
