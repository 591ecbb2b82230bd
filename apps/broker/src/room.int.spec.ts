/** What is decided faster than a target creates waits on the bus, not in here, where it would come to its turn too late. */
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { World, type BrokerProcess } from '../test/harness.js';

let world: World;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await world.close();
});

const isThereRoom = (withinMs: number) =>
  Promise.race([broker.broker.issuer.room().then(() => true), sleep(withinMs, false)]);

it('holds the bus up while a target is behind, but not behind one that does not answer', async () => {
  let nowMs = performance.now();
  jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  const tasks = Array.from({ length: 5 }, () => uuidv7());
  const [first = ''] = tasks;
  for (const taskId of tasks) await broker.hear(await world.voices.starts(taskId));
  await broker.hear(await world.voices.calls(first));
  await world.hears(first, 'lease.issued');
  expect(await isThereRoom(3_000)).toBe(true);

  world.target.hang();
  const calls = [];
  for (let i = 0; i < 240; i += 1) calls.push(await world.voices.calls(tasks[i % 5] ?? ''));
  await broker.hear(...calls);
  await world.quiet();
  nowMs += 1_000;
  const onceItIsStuck = await isThereRoom(3_000);
  // One answer: it is at work again, and behind.
  world.target.answerAll();
  world.target.hang();
  await world.hears(first, 'lease.issued', 2);
  const whileItWorks = await isThereRoom(50);
  world.target.answerAll();
  await world.hears(first, 'lease.issued', 49);

  expect([whileItWorks, onceItIsStuck]).toEqual([false, true]);
  expect(await isThereRoom(3_000)).toBe(true);
});
