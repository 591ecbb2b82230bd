/**
 * What ends access, acknowledged by Kafka, until an open session of the target is dead and `lease.access_cut` is read, and until a
 * verifier refuses a token: the end of a task, an amendment that takes the right away, an operator's suspension (acknowledged by the
 * broker, over HTTP), and the end of a task with many descendants.
 */
import { atRate } from '../at-rate.mjs';
import { Resource } from '../resource.mjs';
import { ON_A_DATABASE, triples, WITH_A_TOKEN } from '../sample-world.mjs';
import { openSession } from '../session.mjs';
import { latencies } from '../stats.mjs';
import { cascade } from './cascade.mjs';

export const name = 'end-cut';
export const needsStack = true;

/** One task after the other, but for the cascade. */
export const run = ({ world, size }) =>
  world.hearing(async () => {
    await warmUp(world, size);
    return {
      ...(await sessions(world, size, '', ends(world))),
      ...(await tokens(world, size, '', ends(world))),
      ...(await sessions(world, size, 'amended: ', amends(world, WITH_A_TOKEN))),
      ...(await tokens(world, size, 'amended: ', amends(world, ON_A_DATABASE))),
      ...(await sessions(world, size, 'suspended: ', suspends(world))),
      ...(await tokens(world, size, 'suspended: ', suspends(world))),
      ...(await cascade(world, size)),
    };
  });

const WARM_UP = { rounds: 3, perSecond: 50 };

/** What services that have just been started compile is not what an end costs: tasks that come and go, with a user and a token each. */
async function warmUp(world, size) {
  for (let round = 0; round < WARM_UP.rounds; round += 1) {
    const tasks = await world.startTasks(size.warmUp);
    await atRate(size.warmUp, WARM_UP.perSecond, async (n) => {
      await Promise.all([ON_A_DATABASE, WITH_A_TOKEN].map((act) => world.call(tasks[n], act)));
      const removed = world.next('lease.removed', tasks[n]);
      await world.endTasks([tasks[n]]);
      await removed;
    });
  }
}

const ends = (world) => (taskId) => world.endTasks([taskId]);
const suspends = (world) => (taskId) => world.suspendTask(taskId);
/** Leaves this right alone. */
const amends = (world, left) => (taskId) => world.amendTask(taskId, { declared: triples(left) });

async function tokens(world, size, what, act) {
  const resource = await Resource.open(world);
  const tasks = await world.startTasks(size.ends);
  try {
    await resource.ready();
    const refused = [];
    for (const taskId of tasks) {
      const token = await resource.token(taskId);
      await resource.accepts(token);
      refused.push(await resource.refusedAfterMs(token, () => act(taskId)));
    }
    return shown(`${what}token refused`, refused);
  } finally {
    await resource.close();
    await world.endTasks(tasks);
  }
}

async function sessions(world, size, what, act) {
  const dead = [];
  const told = [];
  const tasks = await world.startTasks(size.ends);
  for (const taskId of tasks) {
    const { died } = await openSession(world, taskId);
    const cut = world.next('lease.access_cut', taskId);
    const acknowledgedMs = await act(taskId);
    dead.push((await died) - acknowledgedMs);
    told.push((await cut).atMs - acknowledgedMs);
  }
  await world.endTasks(tasks);
  return { ...shown(`${what}session dead`, dead), ...shown(`${what}access_cut told`, told) };
}

/** The first tenth warms up. */
const shown = (label, values) =>
  Object.fromEntries(
    Object.entries(latencies(values.slice(Math.floor(values.length / 10)))).map(([key, value]) => [
      `${label} ${key}`,
      value,
    ]),
  );
