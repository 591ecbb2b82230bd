/** What the token of a call says: of its task, its agent and its agent's key, of this tool and this dataset. */
import { generationOf, GOOD_STANDING } from './agent-standing.js';
import type { CallFacts } from './call-facts.js';
import type { ToolCalled } from './inbound.js';
import { lineageOf, type Sender, type Task } from './task.js';
import { ACTORS_MAX, type ActorChain, type TokenPlan } from './token-plan.js';

export function tokenOf(
  call: ToolCalled,
  by: Sender,
  { task, ancestors, newStatus, standing = GOOD_STANDING }: CallFacts,
  { audience, actions }: { audience: string; actions: string[] },
): TokenPlan {
  const status = newStatus?.();
  return {
    audience,
    subject: task.declaration?.principal ?? '',
    agent: by.id,
    ...generationOf(standing),
    // The key that this agent has in this task, and no other: it was compared with the pinned one.
    jkt: by.keyThumbprint,
    task: task.taskId,
    tool: call.tool,
    ...(call.dataset === undefined ? {} : { dataset: call.dataset }),
    actions,
    lineage: lineageOf(task, ancestors),
    act: actorsOf(by.id, task, ancestors),
    ...(call.argumentsSha256 === undefined ? {} : { argumentsSha256: call.argumentsSha256 }),
    ...(status === undefined ? {} : { status }),
  };
}

/** The agent, inside it the agent of the parent task that started this one, and so on. An orchestrator is no actor: it does not call. */
function actorsOf(agent: string, task: Task, ancestors: readonly Task[]): ActorChain {
  const [sub, ...earlier] = actors(agent, task, ancestors);
  return chain(sub ?? agent, earlier);
}

const chain = (sub: string, [next, ...rest]: string[]): ActorChain =>
  next === undefined ? { sub } : { sub, act: chain(next, rest) };

/** Whoever hands on to itself is one actor, not two. */
function actors(agent: string, task: Task, ancestors: readonly Task[]): string[] {
  const starters = [task, ...ancestors].flatMap((child, n) => {
    const starter = child.declaration?.orchestrator;
    const parent = ancestors[n]?.declaration;
    return starter !== undefined && parent?.agents.includes(starter) === true ? [starter] : [];
  });
  return [agent, ...starters].filter((sub, n, all) => sub !== all[n - 1]);
}

/** Whether a token of this task can name everybody through whom it was delegated. */
export const actorsFit = (agent: string, task: Task, ancestors: readonly Task[]): boolean =>
  actors(agent, task, ancestors).length <= ACTORS_MAX;
