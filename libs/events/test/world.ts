/**
 * A small world around the pure functions: one partition of task events, a broker, a revoker and a fenced target, each a
 * step at a time. It stores what a transaction would store, and nothing else, so any order of steps is a schedule of
 * processes, and forgetting what is in memory is kill -9.
 */
import { decideAmendment } from '../src/amend-task.js';
import { decideCall } from '../src/call.js';
import { afterCut } from '../src/cut-proof.js';
import { decideStart } from '../src/declare-task.js';
import { decideEnd } from '../src/end-task.js';
import type { InboundEvent } from '../src/inbound.js';
import { decideOutcome, evolveLease, leaseOf, type Answered, type Lease } from '../src/lease.js';
import type { EventOf } from '../src/outbound.js';
import { cutCauseOf, decideResumption, decideSuspension } from '../src/suspend-task.js';
import {
  causeFor,
  coveredBy,
  hearAbandoned,
  hearIntended,
  hearIssued,
  makeDue,
  type DoomedLease,
  type RevokerLease,
  type Step,
  type Tombstone,
} from '../src/revocation.js';
import { evolve, unknownTask, type Task } from '../src/task.js';
import { mayEnd, type TaskParties } from '../src/entitlement.js';
import { callFacts, catalogue, NOW, ORCHESTRATOR, sender, start, startFacts, TASK } from './fixture.js';

export interface Sent {
  ceId: string;
  by: string;
  event: InboundEvent;
}

type OfLease = EventOf<'lease.intended'> | EventOf<'lease.issued'> | EventOf<'lease.abandoned'>;
type Told = OfLease | EventOf<'task.suspended'> | EventOf<'task.amended'>;
const common = { taskId: TASK, actor: '//mayfly/broker', at: new Date(NOW).toISOString() };
const parked = { cause: 'parked' as const, causedBy: 'parked', nowMs: NOW };

export class World {
  task: Task = unknownTask(TASK);
  readonly leases = new Map<string, Lease>();
  readonly calls = new Map<string, { leaseIds: string[] }>();
  /** At the target: principals that could log in, and leases that are fenced. */
  readonly principals = new Set<string>();
  readonly fences = new Set<string>();
  /** What the broker told, in the order of its outbox. */
  readonly told: Told[] = [];
  readonly revoked = new Map<string, RevokerLease>();
  readonly alarms: string[] = [];
  #tombstones: Tombstone[] = [];
  #parties: TaskParties | null = null;
  #earlyEnds: Sent[] = [];
  #heard = { broker: 0, revoker: 0, leases: 0, requests: 0 };
  readonly #inbox = new Set<string>();
  readonly #requests: string[] = [];
  /** Creates on the wire: sent, and not answered yet. */
  readonly #wire: string[] = [];
  readonly #answers = new Map<string, Answered>();

  constructor(readonly topic: readonly Sent[]) {}

  /** The broker handles the next task event in one transaction. */
  brokerReads(): boolean {
    const sent = this.topic[this.#heard.broker];
    if (sent === undefined) return false;
    this.#heard.broker += 1;
    if (this.#inbox.has(sent.ceId)) return true;
    this.#inbox.add(sent.ceId);
    const by = sender(sent.by, sent.ceId);
    const { event } = sent;
    if (event.type === 'task.started' || event.type === 'task.ended') {
      const decided =
        event.type === 'task.started'
          ? decideStart(this.task, event.data, by, startFacts())
          : decideEnd(this.task, event.data, by, { catalogue, nowMs: NOW });
      if (decided.is === 'decided') this.task = decided.events.reduce(evolve, this.task);
      return true;
    }
    if (event.type !== 'tool.called' || this.calls.has(event.data.callId)) return true;
    const newLeaseId = `lease-${event.data.callId}-1`;
    const result = decideCall(event.data, by, callFacts({ task: this.task, newLeaseId }));
    if (result.is === 'rejected') return true;
    this.task = evolve(this.task, result.decided);
    if (result.intended !== null) this.#intend(event.data.callId, result.intended);
    return true;
  }

  #intend(callId: string, intended: EventOf<'lease.intended'>): void {
    const { leaseId } = intended.data;
    this.leases.set(leaseId, leaseOf(intended));
    this.calls.set(callId, { leaseIds: [...(this.calls.get(callId)?.leaseIds ?? []), leaseId] });
    this.told.push(intended);
    this.#wire.push(leaseId);
  }

  /** A create lands at the target, and its answer is on the way: `lost` says that nobody will hear it. */
  createLands(lost: boolean): boolean {
    const leaseId = this.#wire.shift();
    if (leaseId === undefined) return false;
    if (!this.fences.has(leaseId)) this.principals.add(leaseId);
    if (!lost) this.#answers.set(leaseId, this.principals.has(leaseId) ? 'created' : 'refused');
    return true;
  }

  /** One transaction decides an outcome: of what was answered, or of what will never be. */
  brokerSettles(): boolean {
    const open = [...this.leases.values()].find((lease) => lease.state === 'intended');
    if (open === undefined || this.#wire.includes(open.leaseId)) return false;
    const answer = this.#answers.get(open.leaseId) ?? 'none';
    const outcome = decideOutcome({ lease: open, answer, chain: [this.task], nowMs: NOW });
    const { leaseId, callId, agent, lineage } = open;
    const data = { ...common, generation: lineage[0]?.generation ?? 0, leaseId, callId, agent };
    const event: OfLease = outcome.issued
      ? { type: 'lease.issued', data: { ...data, notAfter: '', incarnation: '' } }
      : { type: 'lease.abandoned', data: { ...data, answered: outcome.answered, why: outcome.why } };
    this.leases.set(open.leaseId, evolveLease(open, event));
    this.told.push(event);
    if (!outcome.issued && outcome.why === 'no_answer') this.#callAgain(open);
    return true;
  }

  /** A record of the task is parked. */
  brokerSuspends(): boolean {
    const events = decideSuspension(this.task, parked);
    this.task = events.reduce(evolve, this.task);
    this.told.push(...events);
    return events.length > 0;
  }

  /** The orchestrator has its task authorized anew. */
  brokerAmends(): boolean {
    const amendment = { taskId: TASK, deadline: start().deadline };
    const decided = decideAmendment(this.task, amendment, sender(ORCHESTRATOR, 'amends'), startFacts());
    if (decided.is !== 'decided') return false;
    this.task = decided.events.reduce(evolve, this.task);
    this.told.push(...decided.events.filter((event) => event.type === 'task.amended'));
    return true;
  }

  /** The parked record is released. */
  brokerResumes(): boolean {
    const events = decideResumption(this.task, parked);
    this.task = events.reduce(evolve, this.task);
    return events.length > 0;
  }

  #callAgain(lease: Lease): void {
    const leaseIds = this.calls.get(lease.callId)?.leaseIds ?? [];
    const asked = this.topic.find(
      ({ event }) => event.type === 'tool.called' && event.data.callId === lease.callId,
    );
    if (asked?.event.type !== 'tool.called' || leaseIds.length >= 3) return;
    const newLeaseId = `lease-${lease.callId}-${leaseIds.length + 1}`;
    const by = sender(asked.by, asked.ceId);
    const result = decideCall(asked.event.data, by, callFacts({ task: this.task, newLeaseId }));
    if (result.is === 'decided' && result.intended !== null) this.#intend(lease.callId, result.intended);
  }

  /** The broker hears that the revoker goes for a lease. */
  brokerHears(): boolean {
    const leaseId = this.#requests[this.#heard.requests];
    if (leaseId === undefined) return false;
    this.#heard.requests += 1;
    const lease = this.leases.get(leaseId);
    if (lease !== undefined) this.leases.set(leaseId, { ...lease, cutHeard: true });
    return true;
  }

  /** The revoker reads the next task event, with its own eyes. */
  revokerReads(): boolean {
    const sent = this.topic[this.#heard.revoker];
    if (sent === undefined) return false;
    this.#heard.revoker += 1;
    const { event, by } = sent;
    if (event.type === 'task.started' && this.#parties === null && catalogue.orchestrators.has(by)) {
      const { agents, agentsMayEnd = false } = event.data;
      this.#parties = { orchestrator: by, agents: agents.map((agent) => agent.id), agentsMayEnd };
      for (const early of this.#earlyEnds) this.#end(early);
    }
    if (event.type === 'task.ended') this.#end(sent);
    return true;
  }

  #end(sent: Sent): void {
    if (this.#parties === null) return void this.#earlyEnds.push(sent);
    if (!mayEnd(this.#parties, sent.by, catalogue)) return;
    this.#entomb({ taskId: TASK, generationBelow: null, cause: 'task_ended', causedBy: sent.ceId });
  }

  #entomb(tombstone: Tombstone): void {
    this.#tombstones.push(tombstone);
    for (const lease of this.revoked.values()) {
      if (coveredBy(lease.lineage, [tombstone]) === null) continue;
      const { causedBy } = tombstone;
      this.#take(makeDue(lease, { cause: causeFor(lease, tombstone), causedBy }, NOW));
    }
  }

  /** The revoker hears the next thing that the broker told. */
  revokerHears(): boolean {
    const event = this.told[this.#heard.leases];
    if (event === undefined) return false;
    this.#heard.leases += 1;
    if (event.type === 'task.suspended') {
      const { taskId, generation: generationBelow, cause } = event.data;
      this.#entomb({ taskId, generationBelow, cause: cutCauseOf(cause), causedBy: 'told' });
      return true;
    }
    if (event.type === 'task.amended') {
      const { taskId, generation: generationBelow, cause } = event.data;
      this.#entomb({ taskId, generationBelow, cause, causedBy: 'told' });
      return true;
    }
    const lease = this.revoked.get(event.data.leaseId) ?? null;
    const hearing = { tombstones: this.#tombstones, ceId: 'told', nowMs: NOW };
    if (event.type === 'lease.intended') this.#take(hearIntended(lease, event, hearing));
    if (event.type === 'lease.issued') this.#take(hearIssued(lease, event.data, hearing));
    if (event.type === 'lease.abandoned') this.#take(hearAbandoned(lease, event.data, hearing));
    return true;
  }

  #take(step: Step): void {
    this.revoked.set(step.lease.leaseId, step.lease);
    if (step.alarm !== undefined) this.alarms.push(step.alarm);
    for (const event of step.events)
      if (event.type === 'lease.revocation_requested') this.#requests.push(event.data.leaseId);
  }

  /** The revoker cuts a due lease: fence first, then the login, then two looks. */
  revokerCuts(): boolean {
    const due = [...this.revoked.values()].find(
      (lease): lease is DoomedLease => lease.state === 'due' && lease.plan !== null,
    );
    if (due === undefined) return false;
    this.fences.add(due.leaseId);
    this.principals.delete(due.leaseId);
    const observation = {
      state: 'absent' as const,
      atMs: NOW,
      incarnation: '1',
      nodes: { seen: 1, expected: 1 },
    };
    this.#take(
      afterCut(
        due,
        { startedAtMs: NOW, endedAtMs: NOW, report: { observation, emptyObservations: 2, sessionsEnded: 0 } },
        { fencing: 'fenced', maxClockSkewMs: 2_000 },
      ),
    );
    return true;
  }

  /** Lets everything come to rest. */
  settleAll(): void {
    const steps = [
      () => this.brokerReads(),
      () => this.createLands(false),
      () => this.brokerSettles(),
      () => this.brokerHears(),
      () => this.revokerReads(),
      () => this.revokerHears(),
      () => this.revokerCuts(),
    ];
    while (steps.some((step) => step()));
  }
}
