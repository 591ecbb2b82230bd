/**
 * What may be, by another hand than the code's: sets, counts and comparisons over what was said and taken. It knows nothing of
 * generations but how often each task was suspended or amended, and nothing of events.
 */
import type { SuspensionCause } from '../../src/causes.js';
import type { TaskAmended, TaskStarted, ToolCalled } from '../../src/inbound.js';
import type { EventOf } from '../../src/outbound.js';
import type { Sender } from '../../src/task.js';
import { INVOLVED, MAX_TTL_MS, rightOf, type Policy, type Right } from './family.js';

type Triples = TaskStarted['declared'];

interface Truth {
  parent: Truth | null;
  orchestrator: string;
  agents: string[];
  declared: Triples;
  delegable: Triples;
  deadlineMs: number;
  generation: number;
  suspendedFor: Set<SuspensionCause>;
  ended: boolean;
  keys: Map<string, string>;
  formerKeys: Set<string>;
}

interface Lent {
  task: Truth;
  right: Right;
  agent: string;
  key: string;
  generations: string;
  notAfterMs: number;
  /** Of the word of people that it hangs on. */
  approval: { withdrawn: boolean } | null;
}

/** One call as people were asked about it. */
interface Given {
  callId: string;
  agent: string;
  policy: string;
  generations: string;
  withdrawn: boolean;
}

/** `expect` takes its time, and this is asked after every step of every history. */
export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

const covers = (triples: Triples, { tool, dataset, action }: Right, agent?: string): boolean =>
  triples.some(
    (each) =>
      each.tool === tool &&
      each.dataset === dataset &&
      each.actions.includes(action) &&
      (agent === undefined || (each.agents?.includes(agent) ?? true)),
  );
const isWithin = (triples: Triples, bounds: Triples): boolean =>
  triples.every(({ tool, dataset = '', actions }) =>
    actions.every((action) => covers(bounds, { tool, dataset, action })),
  );
const chainOf = (task: Truth | null): Truth[] => (task === null ? [] : [task, ...chainOf(task.parent)]);
const generationsOf = (task: Truth): string =>
  chainOf(task)
    .map((each) => each.generation)
    .join();

/** Whether a right is an agent's in a task: one that started the task itself needs it in the parent as well. */
const holds = (task: Truth, right: Right, agent: string): boolean =>
  covers(task.declared, right, agent) &&
  (task.orchestrator !== agent || task.parent === null || holds(task.parent, right, agent));

export class Oracle {
  readonly #tasks = new Map<string, Truth>();
  readonly #lent = new Map<string, Lent>();
  readonly #given: Given[] = [];

  /** Something was said in a task, and taken. */
  speaks(taskId: string, { id, keyThumbprint }: Sender): void {
    const { keys, formerKeys } = this.#of(taskId);
    must(!formerKeys.has(`${id} ${keyThumbprint}`), 'who was re-keyed has another key from then on');
    must((keys.get(id) ?? keyThumbprint) === keyThumbprint, 'a sender has one key in a task');
    keys.set(id, keyThumbprint);
  }

  starts(start: TaskStarted, by: Sender): void {
    const { taskId, agents, declared, delegable = [], deadline } = start;
    const parent = start.parent === undefined ? null : this.#of(start.parent.taskId);
    if (parent !== null) {
      must([parent.orchestrator, ...parent.agents].includes(by.id), 'a child has a starter of its parent');
      must(isWithin([...declared, ...delegable], parent.delegable), 'a child gets what may be delegated');
      must(!chainOf(parent).some(isOver), 'no child is started under what is suspended or has ended');
    }
    must(!this.#tasks.has(taskId), 'a task is started once');
    this.#tasks.set(taskId, {
      ...{ parent, orchestrator: by.id, agents: agents.map(({ id }) => id), declared, delegable },
      ...{ deadlineMs: Date.parse(deadline), generation: 1, suspendedFor: new Set(), ended: false },
      ...{ keys: new Map(), formerKeys: new Set() },
    });
    this.speaks(taskId, by);
  }

  amends({ taskId, declared, deadline, rekey }: TaskAmended, by: Sender): void {
    const task = this.#of(taskId);
    must(by.id === task.orchestrator, 'who started a task amends it');
    this.speaks(taskId, by);
    must(!chainOf(task).some(({ ended }) => ended), 'what has ended is not amended');
    if (declared !== undefined && task.parent !== null)
      must(isWithin(declared, task.parent.delegable), 'a child gets what may be delegated');
    task.generation += 1;
    if (declared !== undefined) task.declared = declared;
    if (deadline !== undefined) task.deadlineMs = Date.parse(deadline);
    if (rekey === undefined) return;
    task.formerKeys.add(`${rekey} ${task.keys.get(rekey) ?? ''}`);
    task.keys.delete(rekey);
  }

  suspends(taskId: string, cause: SuspensionCause): void {
    this.#of(taskId).generation += 1;
    this.#of(taskId).suspendedFor.add(cause);
  }

  resumes(taskId: string, cause: SuspensionCause): void {
    this.#of(taskId).suspendedFor.delete(cause);
  }

  ends(taskId: string): void {
    this.#of(taskId).ended = true;
  }

  /** Somebody's word on a call was taken. */
  approves(
    { taskId, callId, agent }: { taskId: string; callId: string; agent: string },
    by: string,
    policy: Policy,
  ): void {
    must(by !== INVOLVED, 'nobody approves what is done for them');
    const generations = generationsOf(this.#of(taskId));
    this.#given.push({ callId, agent, policy: policy.digest, generations, withdrawn: false });
  }

  withdraws({ callId, agent }: { callId: string; agent: string }): void {
    for (const given of this.#given)
      if (given.callId === callId && given.agent === agent) given.withdrawn = true;
  }

  /** A lease is meant: all that it takes is there at this moment. */
  lends(
    { data }: EventOf<'lease.intended'>,
    call: ToolCalled,
    by: Sender,
    policy: Policy,
    nowMs: number,
  ): void {
    const task = this.#of(data.taskId);
    const { tool, dataset = '', action } = call;
    const generations = generationsOf(task);
    const approval = this.#given.find(
      (given) =>
        !given.withdrawn &&
        given.callId === call.callId &&
        given.agent === by.id &&
        given.policy === policy.digest &&
        given.generations === generations,
    );
    const notAfterMs = Date.parse(data.notAfter);
    const lent = { task, right: { tool, dataset, action }, agent: data.agent, key: by.keyThumbprint };
    this.#lent.set(data.leaseId, {
      ...lent,
      generations,
      notAfterMs,
      approval: this.#permits(call, policy, approval),
    });
    must(by.id === data.agent, 'a lease is for who asks');
    must(data.lineage.map(({ generation }) => generation).join() === generations, 'its lineage is of now');
    this.#isShortEnough(notAfterMs, call.ttlMs, policy, nowMs);
    this.#isInBounds(data.leaseId, 'meant');
  }

  /** An end moves, on what is true and permitted at this moment. */
  renews(
    { data }: EventOf<'lease.renewed'>,
    call: ToolCalled,
    by: Sender,
    policy: Policy,
    nowMs: number,
  ): void {
    const lent = this.#lent.get(data.leaseId)!;
    must(by.id === lent.agent && by.keyThumbprint === lent.key, 'who has a lease renews it');
    must(nowMs < lent.notAfterMs, 'what has ended is not renewed');
    lent.notAfterMs = Date.parse(data.notAfter);
    this.#permits(call, policy, undefined);
    this.#isShortEnough(lent.notAfterMs, undefined, policy, nowMs);
    this.#isInBounds(data.leaseId, 'renewed');
  }

  /** Nothing that it takes has gone since it was meant. */
  issues(leaseId: string): void {
    this.#isInBounds(leaseId, 'issued');
  }

  #isInBounds(leaseId: string, how: string): void {
    const why = this.whyNot(leaseId);
    must(why === null, `a lease is ${how} in its bounds: ${why}`);
  }

  /** Why a lease may be of no use to anybody at this moment; null: it may live. */
  whyNot(leaseId: string): string | null {
    const lent = this.#lent.get(leaseId);
    if (lent === undefined) return 'nobody lent it';
    const { task, right, agent, key, generations, notAfterMs, approval } = lent;
    const chain = chainOf(task);
    if (chain.some(({ ended }) => ended)) return 'a task of its chain has ended';
    if (chain.some(isOver)) return 'a task of its chain is suspended';
    if (generationsOf(task) !== generations) return 'a task of its chain has changed';
    if (chain.some(({ deadlineMs }) => notAfterMs > deadlineMs)) return 'it outlives a task of its chain';
    if (!task.agents.includes(agent)) return 'its agent is not named';
    if (task.keys.get(agent) !== key) return 'its agent has another key';
    if (!holds(task, right, agent)) return 'it is outside the declaration';
    return approval?.withdrawn === true ? 'its approval was withdrawn' : null;
  }

  #permits(call: ToolCalled, { says }: Policy, approval: Given | undefined): Given | null {
    const said = says[rightOf(call)];
    must(said !== 'deny', 'policy permits what is lent');
    must(said === 'permit' || approval !== undefined, 'somebody approves what policy does not permit alone');
    return said === 'permit' ? null : (approval ?? null);
  }

  #isShortEnough(notAfterMs: number, askedMs: number | undefined, { ttlMs }: Policy, nowMs: number): void {
    const livesMs = Math.min(ttlMs, MAX_TTL_MS, askedMs ?? Infinity);
    must(notAfterMs <= nowMs + livesMs, 'a lease lives no longer than policy, target and call say');
  }

  #of(taskId: string): Truth {
    const task = this.#tasks.get(taskId);
    if (task === undefined) throw new Error('nothing happens in a task that was not started');
    return task;
  }
}

const isOver = ({ ended, suspendedFor }: Truth): boolean => ended || suspendedFor.size > 0;
