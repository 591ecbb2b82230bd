/** The broker at work: what it does with each batch, and what it does in between. */
import type { BusRecord } from '#bus/bus.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { admit, type Admission } from '#identity/admit.js';
import { Intake } from '#store/intake.js';
import { ApprovalDesk } from './approvals/approval-desk.js';
import type { BrokerParts } from './broker-parts.js';
import { endChildren } from './end-children.js';
import { endOverdue } from './end-overdue.js';
import { EventPump } from './http/event-pump.js';
import { LeaseIssuer } from './issue-lease.js';
import { LeaseRenewer } from './lease-renewer.js';
import {
  asksOfBroker,
  hearRequest,
  onCredentialBatch,
  weightOfRequest,
  type CutEffects,
  type Heard,
} from './on-credential-batch.js';
import { onTaskBatch, type TaskEffects } from './on-task-batch.js';
import { recoverLeases } from './recover-leases.js';
import { recoverRenewals } from './recover-renewals.js';
import { GROUP } from './records.js';
import { Notifier } from './notifications/notifier.js';
import { releaseParked } from './release-parked.js';
import { repeat } from '#store/repeat.js';
import { putAway, setAside, setBehind } from './set-aside.js';
import { Rests } from './rests.js';
import { TaskDesk } from './task-desk.js';
import { closeRefusals } from './tell-refusals.js';
import { isAwaited, weightOf } from './weigh.js';

/** The time in which the revoker has read an end, and written it. */
const ENDS_GATHER_MS = 10;
/** A call that comes meanwhile waits no longer for them. */
const CALM_AIM_MS = 25;
const CREDENTIALS_AIM_MS = 30;
const RECOVER_EVERY_MS = 1_000;
const OVERDUE_EVERY_MS = 1_000;
const CHILDREN_EVERY_MS = 1_000;
const REFUSALS_EVERY_MS = 5_000;
const RELEASE_EVERY_MS = 1_000;
const TOKEN_KEYS_EVERY_MS = 5_000;
const APPROVALS_EVERY_MS = 1_000;

export class Broker {
  readonly tasks: Intake<Admission, TaskEffects>;
  readonly credentials: Intake<Heard | null, CutEffects>;
  readonly issuer: LeaseIssuer;
  readonly renewer: LeaseRenewer;
  /** Tells people outside. */
  readonly notifier: Notifier;
  /** Events that came over HTTP. */
  readonly requests: EventPump;
  /** What people say of calls that wait for them. */
  readonly approvals: ApprovalDesk;
  /** And of tasks. */
  readonly orders: TaskDesk;
  #loops: { stop: () => Promise<void> }[] = [];

  /** @param onDead told when a record can neither be handled nor set aside: the process must end. */
  constructor(
    private readonly parts: BrokerParts,
    onDead: (cause: Error) => void,
  ) {
    const { db, relay, log, trust } = parts;
    const warn = (fields: object, message: string) => log.warn(fields, message);
    this.issuer = new LeaseIssuer(parts);
    const rests = new Rests(() => this.issuer.idleForMs());
    this.renewer = new LeaseRenewer(parts);
    this.notifier = new Notifier({ ...parts.notifying, db, log });
    this.requests = new EventPump({
      parts,
      room: () => this.issuer.room(),
      after: (effects) => this.#after(effects),
    });
    this.approvals = new ApprovalDesk({ parts, after: (effects) => this.#after(effects) });
    this.orders = new TaskDesk({ parts, after: (effects) => this.#after(effects) });
    this.tasks = new Intake<Admission, TaskEffects>({
      db,
      group: GROUP,
      read: (record) => admit(record, trust),
      handle: (tx, batch) => onTaskBatch(tx, batch, parts),
      after: (effects) => this.#after(effects),
      setAside: (tx, record, error) => setAside(tx, record, error, parts),
      setBehind: (tx, records) => setBehind(tx, records, parts),
      // What is refused is refused at once: it must not fill the place of what counts.
      waitsBehind: (record) => admit(record, trust).ok,
      weigh: weightOf,
      gatherMs: ENDS_GATHER_MS,
      hurries: isAwaited,
      calmAimMs: CALM_AIM_MS,
      restsFor: (ms, lateMs) => rests.afterEndsMs(ms, lateMs),
      room: () => this.issuer.room(),
      warn,
      onDead,
    });
    this.credentials = new Intake({
      db,
      group: GROUP,
      read: (record) => hearRequest(record, parts),
      handle: (tx, batch) =>
        onCredentialBatch(
          tx,
          batch.flatMap(({ said }) => said ?? []),
          parts,
        ),
      after: ({ queued, told }) => {
        parts.measures.count(told);
        this.notifier.wake(told);
        void relay.send(queued);
      },
      setAside: (tx, record, error) => putAway(tx, record, error, parts),
      setBehind: () => Promise.resolve({ queued: [], told: [] }),
      waitsBehind: () => false,
      concerns: asksOfBroker,
      weigh: weightOfRequest,
      aimMs: CREDENTIALS_AIM_MS,
      restsFor: (ms, lateMs) => rests.afterRequestsMs(ms, lateMs),
      warn,
      onDead,
    });
  }

  /** Takes up what a dead process left, and keeps looking for it. */
  start(): void {
    const { parts } = this;
    this.requests.open();
    this.notifier.start();
    this.#loops = [
      repeat(
        RECOVER_EVERY_MS,
        () => recoverLeases(parts, this.issuer),
        (err) => parts.log.error({ err }, 'recovering leases failed'),
      ),
      repeat(
        RECOVER_EVERY_MS,
        () => recoverRenewals(parts, this.renewer),
        (err) => parts.log.error({ err }, 'recovering renewals failed'),
      ),
      repeat(
        OVERDUE_EVERY_MS,
        () => endOverdue(parts),
        (err) => parts.log.error({ err }, 'ending overdue tasks failed'),
      ),
      repeat(
        APPROVALS_EVERY_MS,
        () => this.approvals.lapse(),
        (err) => parts.log.error({ err }, 'ending approvals failed'),
      ),
      repeat(
        CHILDREN_EVERY_MS,
        () => endChildren(parts),
        (err) => parts.log.error({ err }, 'ending children of ended tasks failed'),
      ),
      repeat(
        REFUSALS_EVERY_MS,
        () => closeRefusals(parts),
        (err) => parts.log.error({ err }, 'telling of refused records failed'),
      ),
      repeat(
        RELEASE_EVERY_MS,
        () => releaseParked(parts, (effects) => this.#after(effects)),
        (err) => parts.log.error({ err }, 'releasing parked records failed'),
      ),
      repeat(
        TOKEN_KEYS_EVERY_MS,
        async () => await parts.tokens?.keys.turn(),
        (err) => parts.log.error({ err }, 'looking after the keys of tokens failed'),
      ),
      repeat(
        parts.trust.refreshEveryMs,
        async () => {
          for (const err of await parts.trust.refresh(Date.now()))
            parts.log.error({ err }, 'a trust bundle could not be read again');
        },
        (err) => parts.log.error({ err }, 'refreshing trust failed'),
      ),
    ];
  }

  async onTaskEvents(records: readonly BusRecord[]): Promise<void> {
    await this.tasks.take(records);
  }

  async onCredentialEvents(records: readonly BusRecord[]): Promise<void> {
    await this.credentials.take(records);
  }

  /** Partitions of these topics move: nothing of them that was read before counts. */
  async forget(topics: ReadonlySet<string>): Promise<void> {
    if (topics.has(TASK_EVENTS)) await this.tasks.forget();
    if (topics.has(CREDENTIAL_EVENTS)) await this.credentials.forget();
  }

  /** The positions have been read: what is parked is known from now on. */
  async remember(): Promise<void> {
    await this.tasks.remember();
  }

  /** How long our own database has kept records waiting. */
  failingMs(): number {
    return Math.max(this.tasks.failingMs(), this.credentials.failingMs());
  }

  /** Lets what has begun come to its outcome. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await Promise.all([this.tasks.stop(), this.credentials.stop(), this.requests.stop()]);
    await Promise.all([this.issuer.stop(), this.renewer.stop(), this.notifier.stop()]);
    await Promise.all([this.parts.board.close(), this.parts.renewals.close()]);
  }

  #after({ queued, intents, renewals, told }: TaskEffects): void {
    this.parts.measures.count(told);
    this.notifier.wake(told);
    this.renewer.take(renewals);
    void this.issuer.take(intents, this.parts.relay.send(queued));
  }
}
