/**
 * A broker, a target and a revoker around the pure functions, for a family of tasks: each a step at a time, storing what a transaction
 * would store. Whatever is taken is told to the oracle as it was said. The revoker is there twice: one hears at once what the
 * broker tells, the other late, each task in its own order, and some of it twice.
 */
import { decideAmendment } from '../../src/amend-task.js';
import type { SuspensionCause } from '../../src/causes.js';
import { decideStart } from '../../src/declare-task.js';
import { decideDeadline, decideEnd, decideEndWithParent } from '../../src/end-task.js';
import type { InboundEvent, ToolCalled } from '../../src/inbound.js';
import { decideOutcome, evolveLease, leaseOf, type Answered, type Lease } from '../../src/lease.js';
import type { EventOf } from '../../src/outbound.js';
import { decideResumption, decideSuspension } from '../../src/suspend-task.js';
import { evolve, unknownTask, type Decided, type Sender, type Task, type TaskEvent } from '../../src/task.js';
import { NOW } from '../fixture.js';
import type { Books, Held } from './books.js';
import { Calls } from './calls.js';
import { catalogue, judgeOf, policyOf, TASKS } from './family.js';
import { Oracle } from './oracle.js';
import { Renewals } from './renewals.js';
import { Revoker, type Told } from './revoker.js';

export interface Said {
  event: InboundEvent;
  by: Sender;
}

/** The call is decided again where that can help. */
const AGAIN = ['no_answer', 'too_late'];

export class FamilyWorld implements Books {
  nowMs = NOW;
  policy = policyOf(0);
  readonly oracle = new Oracle();
  readonly prompt = new Revoker();
  readonly late = new Revoker();
  readonly held = new Map<string, Held>();
  readonly said: Said[] = [];
  /** At the target: until when each principal may log in, and what is fenced. */
  readonly principals = new Map<string, number>();
  readonly fences = new Set<string>();
  readonly calls = new Calls(this);
  readonly renewals = new Renewals(this);
  readonly #tasks = new Map<string, Task>();
  readonly #told = new Map<string, Told[]>(TASKS.map((taskId) => [taskId, []]));
  readonly #heard = new Map<string, number>();
  #requestsHeard = 0;
  #policies = 0;
  readonly #wire: string[] = [];
  readonly #answers = new Map<string, Answered>();

  task = (taskId: string): Task => this.#tasks.get(taskId) ?? unknownTask(taskId);

  /** Shorter than declared where one is not known. */
  ancestorsOf = ({ declaration }: Task): Task[] =>
    (declaration?.ancestors ?? []).flatMap((taskId) => this.#tasks.get(taskId) ?? []);

  get judged() {
    return { catalogue, judge: judgeOf(this.policy), nowMs: this.nowMs };
  }

  get issued(): Lease[] {
    return [...this.held.values()].flatMap(({ lease }) => (lease.state === 'issued' ? [lease] : []));
  }

  policyChanges(choice: number): void {
    this.#policies += 1;
    this.policy = policyOf(this.#policies, choice);
  }

  /** The broker hears what somebody says, in one transaction. */
  hears(said: Said): void {
    const { event, by } = said;
    this.said.push(said);
    const task = this.task(event.data.taskId);
    switch (event.type) {
      case 'task.started': {
        const parent = this.#tasks.get(event.data.parent?.taskId ?? '');
        const ancestors = parent?.declaration ? [parent, ...this.ancestorsOf(parent)] : [];
        const facts = { ...this.judged, ancestors, openTasksOfSender: 0, maxDepth: 16 };
        return this.#settle(task, decideStart(task, event.data, by, facts), () =>
          this.oracle.starts(event.data, by),
        );
      }
      case 'task.amended': {
        const facts = { ...this.judged, ancestors: this.ancestorsOf(task) };
        return this.#settle(task, decideAmendment(task, event.data, by, facts), () =>
          this.oracle.amends(event.data, by),
        );
      }
      case 'task.ended':
        return this.#settle(task, decideEnd(task, event.data, by, this.judged), () => {});
      case 'tool.called':
        return this.calls.hears(event.data, by);
      case 'lease.renewal_requested':
        return this.renewals.asks(event.data, by);
      case 'tool.completed':
        return;
    }
  }

  #settle({ taskId }: Task, decided: Decided, taken: () => void): void {
    if (decided.is !== 'decided') return;
    for (const event of decided.events) {
      if (event.type === 'task.accepted' || event.type === 'task.amended') taken();
      this.record(taskId, event);
    }
  }

  /** Appends to the task's stream. */
  record(taskId: string, event: TaskEvent): void {
    this.#tasks.set(taskId, evolve(this.task(taskId), event));
    if (event.type === 'task.suspended') this.oracle.suspends(taskId, event.data.cause);
    if (event.type === 'task.resumed') this.oracle.resumes(taskId, event.data.cause);
    if (event.type === 'task.ended') this.oracle.ends(taskId);
    if (event.type === 'task.suspended' || event.type === 'task.amended' || event.type === 'task.ended')
      this.tell(event);
  }

  tell(event: Told): void {
    this.#told.get(event.data.taskId)?.push(event);
    this.prompt.hears(event, this.nowMs);
  }

  suspends(taskId: string, cause: SuspensionCause): void {
    const facts = { cause, causedBy: undefined, nowMs: this.nowMs };
    for (const event of decideSuspension(this.task(taskId), facts)) this.record(taskId, event);
  }

  resumes(taskId: string, cause: SuspensionCause): void {
    const facts = { cause, causedBy: undefined, nowMs: this.nowMs };
    for (const event of decideResumption(this.task(taskId), facts)) this.record(taskId, event);
  }

  /** What nobody says: deadlines have passed, parents have ended. */
  closesBooks(): void {
    for (const taskId of TASKS) {
      const task = this.task(taskId);
      for (const event of decideDeadline(task, this.nowMs)) this.record(taskId, event);
    }
    for (const taskId of TASKS) {
      const task = this.task(taskId);
      for (const event of decideEndWithParent(task, this.ancestorsOf(task), this.nowMs))
        this.record(taskId, event);
    }
  }

  /** A lease is meant, and its create sent. */
  lend(intended: EventOf<'lease.intended'>, call: ToolCalled, by: Sender): void {
    this.oracle.lends(intended, call, by, this.policy, this.nowMs);
    const lease = leaseOf(intended);
    this.held.set(lease.leaseId, { lease, intended, call });
    this.#wire.push(lease.leaseId);
    this.tell(intended);
  }

  /** A create lands at the target, and its answer comes back or is lost. */
  createLands(lost: boolean): boolean {
    const leaseId = this.#wire.shift();
    if (leaseId === undefined) return false;
    const refused = this.fences.has(leaseId);
    if (!refused) this.principals.set(leaseId, this.held.get(leaseId)?.lease.notAfterMs ?? 0);
    if (!lost) this.#answers.set(leaseId, refused ? 'refused' : 'created');
    return true;
  }

  /** One transaction decides an outcome: of what was answered, or of what nobody will hear of. */
  settles(which: number): boolean {
    const open = [...this.held.values()].filter(({ lease }) => lease.state === 'intended');
    const held = open[which % Math.max(1, open.length)];
    if (held === undefined) return false;
    const { leaseId, taskId, callId, agent, lineage } = held.lease;
    const answer = this.#answers.get(leaseId) ?? 'none';
    const chain = lineage.map((link) => this.task(link.taskId));
    const outcome = decideOutcome({ lease: held.lease, answer, chain, nowMs: this.nowMs });
    const at = new Date(this.nowMs).toISOString();
    const common = { taskId, actor: '//mayfly/broker', at, generation: lineage[0]?.generation ?? 0 };
    const data = { ...common, leaseId, callId, agent };
    const event: EventOf<'lease.issued' | 'lease.abandoned'> = outcome.issued
      ? { type: 'lease.issued', data: { ...data, notAfter: held.intended.data.notAfter, incarnation: '' } }
      : { type: 'lease.abandoned', data: { ...data, answered: outcome.answered, why: outcome.why } };
    held.lease = evolveLease(held.lease, event);
    if (outcome.issued) this.oracle.issues(leaseId);
    this.tell(event);
    if (!outcome.issued && AGAIN.includes(outcome.why)) this.calls.againFor(held.lease);
    return true;
  }

  /** Whatever comes of it, it is neither issued nor renewed any more. */
  noteCut(leaseId: string): void {
    const held = this.held.get(leaseId);
    if (held !== undefined) held.lease = { ...held.lease, cutHeard: true };
  }

  /** The broker hears that the revoker goes for a lease. */
  hearsRequest(): boolean {
    const leaseId = this.late.requests[this.#requestsHeard];
    if (leaseId === undefined) return false;
    this.#requestsHeard += 1;
    this.noteCut(leaseId);
    return true;
  }

  /** The late revoker hears what comes next of a task, or once more something that it has heard. */
  revokerHears(taskId: string, again?: number): boolean {
    const told = this.#told.get(taskId) ?? [];
    const heard = this.#heard.get(taskId) ?? 0;
    const event = told[again === undefined ? heard : again % Math.max(1, heard)];
    if (event === undefined || (again !== undefined && heard === 0)) return false;
    if (again === undefined) this.#heard.set(taskId, heard + 1);
    this.late.hears(event, this.nowMs);
    return true;
  }

  revokerCuts(): boolean {
    const leaseId = this.late.cuts(this.nowMs);
    if (leaseId === null) return false;
    this.fences.add(leaseId);
    this.principals.delete(leaseId);
    return true;
  }

  /** Lets everything come to rest. @returns who can log in then */
  rests(): string[] {
    const steps = [
      () => this.createLands(false),
      () => this.settles(0),
      () => this.renewals.lands(),
      () => this.renewals.settles(),
      () => TASKS.some((taskId) => this.revokerHears(taskId)),
      () => this.revokerCuts(),
      () => this.hearsRequest(),
    ];
    this.closesBooks();
    while (steps.some((step) => step()));
    this.late.expires(this.nowMs);
    while (steps.some((step) => step()));
    return [...this.principals.keys()].filter((leaseId) => this.principals.get(leaseId)! > this.nowMs);
  }
}
