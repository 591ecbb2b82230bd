/**
 * One transaction's worth of decisions: tasks under their locks, events that change them, rows and records that follow.
 * Decisions are made in memory, in order; `flush` writes each table once.
 */
import type { Approval } from '#events/approval.js';
import { hasSpoken } from '#events/entitlement.js';
import type { ToolCalled } from '#events/inbound.js';
import { isNotified } from '#events/notified-types.js';
import type { DeliveryType, EventOf, OutboundEvent } from '#events/outbound.js';
import type { Refusal } from '#events/refusal.js';
import { unknownTask, type Task } from '#events/task.js';
import type { Tx } from '#store/database.js';
import { eventsWrite, type StoredEvent } from '#store/events.js';
import { enqueueWith, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';
import { writtenIn } from '#store/upcast.js';
import type { Write } from '#store/writes.js';
import type { Standings } from './agents/standing-rows.js';
import { approvalsWrite, usesWrite } from './approvals/approval-rows.js';
import {
  callsWrite,
  inputsWrite,
  keyOfCall,
  leasesWrite,
  readFacts,
  type Call,
  type CallKey,
  type Facts,
  type Intended,
} from './call-rows.js';
import { noticesOf, type Noted } from './notifications/notice.js';
import { notificationsWrite } from './notifications/notification-rows.js';
import { credentialRecord, deliveryRecord, envelopeRecord } from './records.js';
import {
  lockRenewable,
  renewalsWrite,
  renewedWrite,
  type RenewalIntent,
  type RenewalRow,
  type RenewableLease,
  type RenewedLease,
} from './renewal-rows.js';
import { endedWrite, ensureTasks, lockTasks, pinsWrite, tasksWrite } from './task-rows.js';
import { applyEvent } from './task-stream.js';
import { brokerUpcasts, OWN_AFFAIR, type StreamEvent } from './upcasts.js';
import {
  leaseOfReport,
  reportedLeases,
  usesReportedWrite,
  type LeaseOfCall,
  type Report,
} from './use-rows.js';

export interface Wanted {
  /** Tasks to lock, ancestors with them. */
  taskIds: readonly string[];
  /** Tasks that get a row if they have none: those that are started or ended. */
  newTaskIds?: readonly string[];
  calls?: readonly CallKey[];
  /** Leases that are to be renewed, to lock with what is known of them. */
  renewals?: readonly string[];
  /** Reports of uses, to know the leases that they are about. */
  reports?: readonly Report[];
  /** Identities whose open tasks are counted. */
  senders?: readonly string[];
  /** Agents that may be lent something. */
  agents?: readonly string[];
}

/** A lease to be created once its intent is acknowledged by the bus. */
export interface Intent {
  intended: Intended;
  sealTo: ToolCalled['sealTo'];
}

export class UnitOfWork {
  /** The database's clock, once the locks were held. */
  readonly nowMs: number;
  /** Of the agents among the wanted. */
  readonly standing: Standings;
  readonly #tx: Tx;
  readonly #tasks: Map<string, Task>;
  readonly #calls: Map<string, Call>;
  readonly #open: Map<string, number>;
  readonly #waiting: Map<string, number>;
  readonly #approvals = new Map<string, Approval>();
  readonly #dirtyTasks = new Set<string>();
  readonly #dirtyCalls = new Set<string>();
  readonly #events: StoredEvent[] = [];
  readonly #records: UnsignedRecord[] = [];
  readonly #pins: { sender: string; taskId: string }[] = [];
  readonly #renewable: Map<string, RenewableLease>;
  readonly #renewals = new Map<string, RenewalRow>();
  readonly #renewed: RenewedLease[] = [];
  readonly #reported: readonly LeaseOfCall[];
  readonly #used = new Set<string>();
  readonly #inputs = new Map<string, object>();
  readonly #noted: Noted[] = [];
  /** Leases intended here, to be created after the commit. */
  readonly intents: Intent[] = [];
  /** Renewals intended here: the target is asked after the commit. */
  readonly renewals: RenewalIntent[] = [];
  /** Facts told here, in order; they are true after the commit. */
  readonly told: OutboundEvent[] = [];

  private constructor(
    tx: Tx,
    tasks: Map<string, Task>,
    { nowMs, calls, open, waiting, standing }: Facts,
    renewable: Map<string, RenewableLease>,
    reported: readonly LeaseOfCall[],
  ) {
    this.#tx = tx;
    this.nowMs = nowMs;
    this.#tasks = tasks;
    this.#calls = new Map(calls.map((call) => [keyOfCall(call), call]));
    this.#open = new Map(Object.entries(open));
    this.#renewable = renewable;
    this.#reported = reported;
    this.#waiting = new Map(Object.entries(waiting));
    this.standing = standing;
  }

  static async begin(tx: Tx, wanted: Wanted): Promise<UnitOfWork> {
    const [, tasks, facts, renewable, reported] = await Promise.all([
      ensureTasks(tx, wanted.newTaskIds ?? []),
      lockTasks(tx, [...new Set(wanted.taskIds)]),
      readFacts(tx, wanted.calls ?? [], [...new Set(wanted.senders ?? [])], wanted.agents ?? []),
      lockRenewable(tx, wanted.renewals ?? []),
      reportedLeases(tx, wanted.reports ?? []),
    ]);
    return new UnitOfWork(tx, tasks, facts, renewable, reported);
  }

  task(taskId: string): Task {
    return this.#tasks.get(taskId) ?? unknownTask(taskId);
  }

  /** Parent first. Shorter than declared where one is not known: the chain is then not live. */
  ancestorsOf(task: Task): Task[] {
    return (task.declaration?.ancestors ?? []).flatMap((id) => this.#tasks.get(id) ?? []);
  }

  /** The chain of a task that names this parent: the parent and its ancestors. */
  chainFrom(parentId: string | undefined): Task[] {
    const parent = parentId === undefined ? undefined : this.#tasks.get(parentId);
    return parent?.declaration ? [parent, ...this.ancestorsOf(parent)] : [];
  }

  openTasksOf(sender: string): number {
    return this.#open.get(sender) ?? 0;
  }

  /** How many calls of this agent wait for people. */
  waitingOf(agent: string): number {
    return this.#waiting.get(agent) ?? 0;
  }

  call(key: CallKey): Call | undefined {
    return this.#calls.get(keyOfCall(key));
  }

  /** Appends to the task's stream, and tells the bus unless the event is the task's own affair. */
  record(taskId: string, event: StreamEvent): void {
    const before = this.task(taskId);
    const after = applyEvent(before, event);
    this.#notePins(before, after);
    this.#tasks.set(taskId, after);
    this.#dirtyTasks.add(taskId);
    const ceId = OWN_AFFAIR.has(event.type) ? '' : this.publish(event as OutboundEvent);
    const { causedBy } = event.data as { causedBy?: string };
    this.#events.push({
      stream: taskId,
      version: after.version,
      type: event.type,
      schemaVersion: writtenIn(brokerUpcasts, event.type),
      data: event.data,
      ceId,
      ...(causedBy === undefined ? {} : { causedBy }),
    });
  }

  #notePins(before: Task, after: Task): void {
    for (const sender of Object.keys(after.pins)) {
      if (hasSpoken(before, sender)) continue;
      this.#pins.push({ sender, taskId: after.taskId });
      this.#open.set(sender, this.openTasksOf(sender) + 1);
    }
  }

  /** Tells the bus; people outside are told of some. @returns the id of the record */
  publish(event: OutboundEvent): string {
    const record = credentialRecord(event, this.nowMs);
    const { id } = record.head;
    this.told.push(event);
    this.#records.push(record);
    if (isNotified(event)) this.#noted.push({ event, id });
    return id;
  }

  queue(record: UnsignedRecord): void {
    this.#records.push(record);
  }

  deliver(type: DeliveryType, data: { taskId: string } & Record<string, unknown>): void {
    this.#records.push(deliveryRecord(type, data, this.nowMs));
  }

  deliverEnvelope(taskId: string, jwe: string): void {
    this.#records.push(envelopeRecord(taskId, jwe, this.nowMs));
  }

  /** Tells the agent of a call that there will be no credential. */
  refuseCall(key: CallKey, refusal: Pick<Refusal, 'code'>, reasons: readonly string[]): void {
    const { taskId, callId, agent } = key;
    this.deliver('call.refused', { taskId, callId, agent, code: refusal.code, reasons });
  }

  saveCall(call: Call): void {
    this.#calls.set(keyOfCall(call), call);
    this.#dirtyCalls.add(keyOfCall(call));
  }

  /** Null where nobody knows the lease. */
  renewable(leaseId: string): RenewableLease | null {
    const found = this.#renewable.get(leaseId);
    return found === undefined ? null : { ...found, renewal: this.#renewals.get(leaseId) ?? found.renewal };
  }

  saveRenewal(row: RenewalRow): void {
    this.#renewals.set(row.leaseId, row);
  }

  /** Its end is a later one from this commit on. */
  renewLease(renewed: RenewedLease): void {
    this.#renewed.push(renewed);
  }

  /** The issued lease that a report is about; null where none is known. Requires that the report is among the wanted. */
  reported(report: Report): LeaseOfCall | null {
    return leaseOfReport(this.#reported, report);
  }

  /** Somebody said that it was used. */
  markUsed(leaseId: string): void {
    this.#used.add(leaseId);
  }

  /** Requires that the event that led to it is recorded. */
  saveApproval(approval: Approval): void {
    const { approvalId, agent } = approval.requested;
    const isNew = approval.status === 'open' && approval.grants.length === 0;
    if (isNew && !this.#approvals.has(approvalId)) this.#waiting.set(agent, this.waitingOf(agent) + 1);
    this.#approvals.set(approvalId, approval);
  }

  intend(intended: EventOf<'lease.intended'>, sealTo: ToolCalled['sealTo']): void {
    this.record(intended.data.taskId, intended);
    this.intents.push({ intended: intended.data, sealTo });
  }

  keepInputs(kept: { digest: string; inputs: object } | undefined): void {
    if (kept !== undefined) this.#inputs.set(kept.digest, kept.inputs);
  }

  /**
   * Writes each table once, all in one round trip.
   * @param beside what else belongs to the transaction.
   * @returns the records to send after the commit. @throws ConcurrencyError
   */
  async flush(claimedBy: string, ...beside: (Write | null)[]): Promise<QueuedRecord[]> {
    const dirty = [...this.#dirtyTasks].map((id) => this.task(id));
    return await enqueueWith(
      this.#tx,
      [
        ...beside,
        eventsWrite(this.#events),
        tasksWrite(dirty),
        endedWrite(dirty),
        pinsWrite(this.#pins),
        callsWrite([...this.#dirtyCalls].flatMap((key) => this.#calls.get(key) ?? [])),
        leasesWrite(
          this.intents.map((intent) => intent.intended),
          claimedBy,
        ),
        renewalsWrite([...this.#renewals.values()], claimedBy),
        renewedWrite(this.#renewed),
        usesReportedWrite([...this.#used]),
        inputsWrite(this.#inputs),
        approvalsWrite([...this.#approvals.values()]),
        usesWrite(this.#events),
        notificationsWrite(noticesOf(this.#noted, this.told, this.#approvals)),
      ],
      this.#records,
    );
  }
}
