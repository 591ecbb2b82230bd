/**
 * What one transaction knows and changes. Every task that is written about is locked first; leases are read and written under
 * the lock of their task; one statement per table writes it all at the end.
 */
import type { CutCause } from '#events/causes.js';
import type { OutboundEvent } from '#events/outbound.js';
import {
  causeFor,
  coveredBy,
  makeDue,
  type DoomedLease,
  type RevocationEvent,
  type RevokerLease,
  type Step,
  type Tombstone,
} from '#events/revocation.js';
import { revocationKey } from '#events/revocations.js';
import type { EndOutcome } from '#events/task.js';
import { Last, type Tx } from '#store/database.js';
import { ConcurrencyError, eventsWrite, type StoredEvent } from '#store/events.js';
import { enqueueWith, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';
import type { Write } from '#store/writes.js';
import { readKnownUnder, readLeases, saveLineage, type LeaseChange, type Workload } from './lease-rows.js';
import { credentialRecord, SOURCE } from './publish.js';
import {
  lockSaid,
  tellRevocations,
  toTell,
  type RevocationNotice,
  type SaidBefore,
  type ToTell,
} from './revocation-rows.js';
import { placed, type Taker } from './taker.js';
import { lockIdleTasks, lockTasks } from './task-rows.js';
import { isToldByItself } from './told-by-itself.js';
import { readTombstones, withdrawTombstones } from './tombstone-rows.js';
import type { Wanted } from './wanted.js';
import { startOf, unwatchedTask, type Change, type WatchedTask } from './watched-task.js';
import { writeRows } from './write-rows.js';

export type { Taker };

/** What is to be done once the transaction is committed. */
export interface Flushed {
  queued: QueuedRecord[];
  /** Leases in this process's hand. */
  work: Workload[];
  /** Status lists in which something became invalid. */
  lists?: ReadonlySet<string>;
}

const CUT_BY: Record<EndOutcome, CutCause> = {
  completed: 'task_ended',
  failed: 'task_ended',
  cancelled: 'task_ended',
  deadline: 'deadline',
  parent_ended: 'parent_ended',
};

const MONTH_MS = 30 * 86_400_000;

export class UnitOfWork {
  readonly #changed = new Set<string>();
  readonly #leases: Map<string, RevokerLease>;
  readonly #changes = new Map<string, LeaseChange>();
  readonly #linked = new Set<string>();
  #remembered: readonly Tombstone[];
  #entombed: Tombstone[] = [];
  readonly #withdrawn: string[] = [];
  readonly #notices: RevocationNotice[] = [];
  readonly #events: StoredEvent[] = [];
  readonly #records: UnsignedRecord[] = [];
  readonly #lists = new Set<string>();
  readonly #mayEnd: ReadonlySet<string>;

  private constructor(
    private readonly tasks: Map<string, WatchedTask>,
    leases: readonly RevokerLease[],
    tombstones: readonly Tombstone[],
    readonly nowMs: number,
    mayEnd: readonly string[] = [],
    private readonly said: SaidBefore | null = null,
  ) {
    this.#mayEnd = new Set(mayEnd);
    this.#leases = new Map(leases.map((lease) => [lease.leaseId, lease]));
    this.#remembered = tombstones;
  }

  static async begin(tx: Tx, wanted: Wanted, nowMs: number): Promise<UnitOfWork> {
    const { ensure, lock = [], ending = [], leases = [], tombstonesOf = [], telling = [] } = wanted;
    // In this order: leases and ends are read under the locks of their tasks, and the sum of what is told is locked last.
    const [tasks, read, under, tombstones, said] = await Promise.all([
      lockTasks(tx, ensure, lock, ending),
      readLeases(tx, leases),
      readKnownUnder(tx, ending),
      readTombstones(tx, tombstonesOf),
      telling.length === 0 ? null : lockSaid(tx, telling),
    ]);
    return new UnitOfWork(tasks, [...under, ...read], tombstones, nowMs, ending, said);
  }

  /** Waits for nobody: what others are at work on is left out. */
  static async beginIdle(
    tx: Tx,
    wanted: { tasks: readonly string[]; leases: readonly string[] },
    nowMs: number,
  ): Promise<UnitOfWork> {
    const [tasks, read] = await Promise.all([lockIdleTasks(tx, wanted.tasks), readLeases(tx, wanted.leases)]);
    return new UnitOfWork(tasks, read, [], nowMs);
  }

  task(taskId: string): WatchedTask {
    return this.tasks.get(taskId) ?? unwatchedTask(taskId);
  }

  /** Whether this task's row is locked here. */
  holds(taskId: string): boolean {
    return this.tasks.has(taskId);
  }

  /** A task that is watched already. */
  watched(taskId: string | undefined): WatchedTask | undefined {
    return taskId === undefined ? undefined : this.tasks.get(taskId);
  }

  lease(leaseId: string): RevokerLease | null {
    return this.#leases.get(leaseId) ?? null;
  }

  /** Takes over what an event changed of a task. The end of a task, or of its generations so far, is remembered. */
  change({ task, end, suspension, withdrawn }: Change): void {
    this.#keep(task);
    if (withdrawn) this.#withdraw(task.taskId);
    if (end !== undefined) {
      const cause = CUT_BY[end.outcome];
      this.#entomb(task, { taskId: task.taskId, generationBelow: null, cause, causedBy: end.causedBy });
    }
    if (suspension !== undefined) this.#entomb(task, suspension);
  }

  #keep(task: WatchedTask): void {
    if (this.tasks.get(task.taskId) === task) return;
    this.tasks.set(task.taskId, task);
    this.#changed.add(task.taskId);
  }

  /** Verifiers keep what they were told: records only grow. */
  #withdraw(taskId: string): void {
    this.#withdrawn.push(taskId);
    const others = (tombstone: Tombstone) =>
      tombstone.taskId !== taskId || tombstone.generationBelow !== null;
    this.#remembered = this.#remembered.filter(others);
    this.#entombed = this.#entombed.filter(others);
  }

  #entomb(task: WatchedTask, tombstone: Tombstone): void {
    const { taskId, generationBelow, cause, causedBy } = tombstone;
    this.#entombed.push(tombstone);
    const deadlineMs = startOf(task)?.deadlineMs ?? this.nowMs + MONTH_MS;
    const notAfterMs = Math.max(deadlineMs, this.nowMs);
    this.#notices.push({ what: 'task', id: taskId, generationBelow, notAfterMs, reason: cause, causedBy });
  }

  /** Ends known so far, for leases heard of now. */
  get tombstones(): readonly Tombstone[] {
    return [...this.#remembered, ...this.#entombed];
  }

  /** Takes over what was heard of a lease, or done to it. */
  step({ lease, events, actAtMs }: Step, ceId?: string): void {
    const before = this.#leases.get(lease.leaseId);
    this.#leases.set(lease.leaseId, lease);
    if (before === undefined || before.lineage !== lease.lineage) this.#linked.add(lease.leaseId);
    const earlier = this.#changes.get(lease.leaseId)?.actAtMs ?? null;
    this.#changes.set(lease.leaseId, { lease, actAtMs: actAtMs ?? earlier, takenBy: null, turnAtMs: null });
    for (const event of events) this.#say(lease, event, ceId);
    if (lease.state === 'due' && before?.state !== 'due') this.#tell(lease);
    else if (lease.state !== 'known' && isLonger(lease, before)) this.#tell(lease);
    const list = lease.plan?.token?.status?.uri;
    if (list !== undefined && lease.state !== 'known' && lease.state !== before?.state) this.#lists.add(list);
  }

  /** What no record of a task says to verifiers, said with the cause itself: no worker is waited for. */
  #tell({ leaseId, lineage, plan, revocation }: DoomedLease): void {
    const { cause, causedBy } = revocation;
    if (!isToldByItself(cause, plan)) return;
    // An operator stops one lease, or a whole task: then what is told of the task speaks of its leases.
    if (cause === 'operator' && coveredBy(lineage, this.tombstones) !== null) return;
    // A token's end is the last that was heard of, and a later one is told when it is heard. An abandoned lease may be of any kind.
    const until = plan?.provider === 'jwt' ? plan.notAfter : plan?.hardEnd;
    const notAfterMs = until === undefined ? this.nowMs + MONTH_MS : Date.parse(until);
    this.#notices.push({
      ...{ what: 'lease', id: leaseId, generationBelow: null },
      ...{ notAfterMs, reason: cause, causedBy },
    });
  }

  /** Said besides what is done to leases: before what is said from now on. */
  readonly tell = (record: UnsignedRecord): void => void this.#records.push(record);

  /** Something is dead besides what hangs on a task. */
  readonly revoke = (notice: RevocationNotice): void => void this.#notices.push(notice);

  #say(lease: RevokerLease, event: RevocationEvent, ceId: string | undefined): void {
    const task = this.task(lease.taskId);
    const version = task.version + 1;
    this.#keep({ ...task, version });
    const causedBy = ceId ?? ('revocation' in lease ? lease.revocation.causedBy : null);
    const tenant = startOf(task)?.tenant ?? '';
    const said = {
      type: event.type,
      data: {
        taskId: lease.taskId,
        generation: lease.generation,
        ...(tenant === '' ? {} : { tenant }),
        ...(causedBy === null ? {} : { causedBy }),
        actor: SOURCE,
        at: new Date(this.nowMs).toISOString(),
        ...event.data,
      },
    } as OutboundEvent;
    const record = credentialRecord(said, this.nowMs);
    this.#records.push(record);
    this.#events.push({
      stream: lease.taskId,
      version,
      type: said.type,
      data: said.data,
      ceId: record.head.id,
      ...(causedBy === null ? {} : { causedBy }),
    });
  }

  /** Rule 5: every lease under the tasks, or their generations, that ended here is due. @throws ConcurrencyError for a lease that came in between */
  dueUnderEnded(): void {
    if (this.#entombed.length === 0) return;
    // Known leases were read of these alone.
    if (!this.#entombed.every(({ taskId }) => this.#mayEnd.has(taskId)))
      throw new Error('a task ended that was not expected to');
    for (const lease of [...this.#leases.values()]) {
      const tombstone = coveredBy(lease.lineage, this.#entombed);
      if (lease.state !== 'known' || tombstone === null) continue;
      if (!this.tasks.has(lease.taskId))
        throw new ConcurrencyError('a lease appeared under a task that ends');
      const { causedBy } = tombstone;
      this.step(makeDue(lease, { cause: causeFor(lease, tombstone), causedBy }, this.nowMs));
    }
  }

  /**
   * Writes everything, in one wait, or in two where verifiers are told what was not foreseen (`telling`). Nothing may follow it but
   * the commit, because the counter of revocations is locked last.
   * @param beside what else this transaction writes
   */
  async flush(tx: Tx, taker: Taker, beside: Write | null = null): Promise<Flushed> {
    return (await this.flushLast(tx, taker, beside)).answer;
  }

  /** As {@link flush}, for who has nothing to do any more but to return it: the commit goes with the last statement. */
  async flushLast(tx: Tx, taker: Taker, beside: Write | null = null): Promise<Last<Flushed>> {
    const work: Workload[] = [];
    const changes = [...this.#changes.values()].map((each) => {
      const tenant = startOf(this.task(each.lease.taskId))?.tenant ?? '';
      const { change, taken } = placed(each, tenant, taker, this.nowMs);
      if (taken !== undefined) work.push(taken);
      return change;
    });
    // In this order: a lineage refers to its lease.
    const rows = Promise.all([
      withdrawTombstones(tx, this.#withdrawn),
      writeRows(tx, {
        tombstones: this.#entombed,
        leases: changes,
        tasks: [...this.#changed].map((taskId) => this.task(taskId)),
      }),
      saveLineage(
        tx,
        [...this.#linked].flatMap((leaseId) => this.#leases.get(leaseId) ?? []),
      ),
    ]);
    const { writes, records } = await this.#toTell(tx, rows);
    const parts = [beside, eventsWrite(this.#events), ...writes];
    // What failed first is what is thrown: the statements behind it fail for it.
    const written = Promise.all([rows, enqueueWith(tx, parts, [...this.#records, ...records])]);
    return new Last(written.then(([, queued]) => ({ queued, work, lists: this.#lists })));
  }

  async #toTell(tx: Tx, rows: Promise<unknown>): Promise<ToTell> {
    if (this.#notices.length === 0) return { writes: [], records: [] };
    const { said } = this;
    if (said !== null && this.#notices.every((notice) => said.keys.has(revocationKey(notice))))
      return toTell(said, this.#notices, this.nowMs);
    const [, told] = await Promise.all([rows, tellRevocations(tx, this.#notices, this.nowMs)]);
    return told;
  }
}

/** It was renewed, and died before that was heard: what was lent last must not outlive what is told of it. */
const isLonger = (lease: RevokerLease, before: RevokerLease | undefined): boolean =>
  before?.plan != null && lease.plan !== null && lease.plan.notAfter !== before.plan.notAfter;
