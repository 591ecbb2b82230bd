/**
 * The end of a task with many descendants, two below each other, of which some have open sessions and tokens: until the last of
 * them is of no use, and until all descendants are told to have ended.
 */
import { Resource } from '../resource.mjs';
import { ANALYST, EXECUTOR, ON_A_DATABASE, PLANNER, triples, WITH_A_TOKEN } from '../sample-world.mjs';
import { openSession } from '../session.mjs';
import { latencies } from '../stats.mjs';

const CHILDREN = 10;

export async function cascade(world, { descendants, live }) {
  const resource = await Resource.open(world);
  try {
    await resource.ready();
    const { root, below, leaves } = await tree(world, descendants);
    const chosen = leaves.filter((_, n) => n % Math.ceil(leaves.length / live) === 0);
    const sessions = [];
    const tokens = [];
    for (const taskId of chosen) {
      sessions.push(await openSession(world, taskId));
      const token = await resource.token(taskId);
      await resource.accepts(token);
      tokens.push(token);
    }
    const ended = Promise.all(below.map((taskId) => world.next('task.ended', taskId)));
    const acknowledged = world.endTasks([root]);
    const [dead, refused] = await Promise.all([
      Promise.all(sessions.map(async ({ died }) => (await died) - (await acknowledged))),
      Promise.all(tokens.map((token) => resource.refusedAfterMs(token, () => acknowledged))),
    ]);
    const acknowledgedMs = await acknowledged;
    const last = Math.max(...(await ended).map(({ atMs }) => atMs));
    return {
      ...shown(`under ${descendants} descendants: session dead`, dead),
      ...shown(`under ${descendants} descendants: token refused`, refused),
      [`${descendants} descendants ended ms`]: last - acknowledgedMs,
    };
  } finally {
    await resource.close();
  }
}

/** A root, children of it, and the rest below those, in equal parts. No identity starts more than half of those: each may have only so many open tasks. */
async function tree(world, descendants) {
  const both = triples(ON_A_DATABASE, WITH_A_TOKEN);
  const agents = [PLANNER, EXECUTOR, ANALYST].map((id) => ({ id }));
  // None may outlive its parent.
  const deadline = new Date(Date.now() + 1_800_000).toISOString();
  const starters = [await world.identity(PLANNER), await world.identity(EXECUTOR)];
  const children = Math.min(CHILDREN, Math.ceil(descendants / 4));
  const [root] = await world.startTasks(1, { agents, delegable: both });
  const middle = await world.startTasks(children, {
    ...{ agents, delegable: both, deadline },
    parent: { taskId: root },
  });
  const leaves = await Promise.all(
    middle.map((taskId, n) => {
      const rest = descendants - children;
      const count = Math.floor((rest + n) / children);
      return world.startTasks(count, { deadline, parent: { taskId } }, starters[n % starters.length]);
    }),
  );
  return { root, below: [...middle, ...leaves.flat()], leaves: leaves.flat() };
}

/** How long it took of most, and of the last. */
const shown = (label, values) => ({
  [`${label} p50Ms`]: latencies(values).p50Ms,
  [`${label} lastMs`]: Math.max(...values),
});
