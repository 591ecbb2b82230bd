/**
 * From the bus into the log: every record of every topic becomes an entry, whoever wrote it and whatever it says, next to
 * the consumer's position in one transaction. The one exception: a heartbeat that the revoker signed is not an entry, or
 * an idle system would log one a second for ever. A forged one is.
 */
import type { BusRecord } from '#bus/bus.js';
import { REVOCATIONS } from '#events/topics.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { parkedRecords } from '#store/dead-letter-records.js';
import { failureText } from '#store/failure-text.js';
import { Intake } from '#store/intake.js';
import type { Aside } from '#store/intake-parts.js';
import type { Read } from '#store/readings.js';
import { advanceOffset, lockOffset } from '#store/offsets.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { park } from '#store/parking.js';
import { releaseOrders } from '#store/release.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { Courtesy } from './courtesy.js';
import { makeEntry, type LeafKeys } from './leaf/entry.js';
import { judge, type Authorities, type Judgement } from './leaf/judge.js';
import { gapEntry, type Gap } from './leaf/own-entry.js';
import { appendEntries, type NewEntry } from './log/append.js';

export const GROUP = 'auditor';
/** Nobody waits for an entry: what gathers for so long is read at once, and appended in one transaction. */
export const GATHER_MS = { bus: 100, here: 100 } as const;
/** Of the hundred that a transaction has room for: an entry is decided by nothing, only written down. */
const WEIGHT = 0.25;
/** Whoever stops, or takes over, waits for the one that runs. */
const AIM_MS = 100;
const HEARTBEAT_KEY = 'heartbeat';

export interface IngestParts {
  db: Database;
  authorities: Authorities;
  keys: LeafKeys;
  /** Told after each commit, with the entries that it made. */
  onAppended: (appended: readonly { topic: string; admitted: boolean }[]) => void;
  /** What is told of a record that could not be logged. */
  send: (queued: QueuedRecord[]) => void;
  warn: (fields: object, message: string) => void;
  /** Told when a record can neither be logged nor set aside: the process must end. */
  onDead: (cause: Error) => void;
}

interface Ingested {
  appended: NewEntry[];
  queued: QueuedRecord[];
}

export class Ingest {
  readonly #parts: IngestParts;
  readonly courtesy = new Courtesy();
  readonly intake: Intake<NewEntry | null, Ingested>;

  constructor(parts: IngestParts) {
    this.#parts = parts;
    const { db, warn, onDead } = parts;
    this.intake = new Intake({
      db,
      group: GROUP,
      read: { elsewhere: (record) => this.#entryOf(record) },
      handle: (tx, batch) => append(tx, batch),
      after: (ingested) => this.#after(ingested),
      setAside,
      setBehind: () => Promise.resolve({ appended: [], queued: [] }),
      waitsBehind: () => false,
      gatherMs: GATHER_MS.here,
      weigh: () => WEIGHT,
      aimMs: AIM_MS,
      restsFor: (ms) => this.courtesy.restMs(ms),
      warn,
      onDead,
    });
  }

  async onBatch(records: readonly BusRecord[]): Promise<void> {
    await this.intake.take(records);
  }

  #after({ appended, queued }: Ingested): void {
    if (appended.length > 0) faultPoint('append.after_commit');
    const last = appended.at(-1)?.record;
    if (last !== undefined) this.courtesy.note(Date.now() - last.appendedAtMs);
    this.#parts.onAppended(
      appended.map(({ record, entry }) => ({ topic: record.topic, admitted: entry.admitted })),
    );
    if (queued.length > 0) this.#parts.send(queued);
  }

  /** Carries out what operators ordered about parked records. */
  async releaseParked(): Promise<void> {
    const { db, warn } = this.#parts;
    await releaseOrders<Ingested>({
      db,
      group: GROUP,
      handle: async (tx, record) => append(tx, [{ record, said: await this.#entryOf(record) }]),
      after: ({ effects, queued }) => {
        for (const each of effects) this.#after(each);
        this.#after({ appended: [], queued });
      },
      warn,
    });
  }

  /** Records that are gone leave a trace: the position moves behind them and the log says so, in one transaction. */
  async onGap(gap: Gap): Promise<void> {
    const { topic, partition, to } = gap;
    await transact(this.#parts.db, async (tx) => {
      const next = await lockOffset(tx, GROUP, topic, partition);
      if (next >= to) return;
      await appendEntries(tx, [gapEntry({ ...gap, from: next }, Date.now())]);
      await advanceOffset(tx, GROUP, topic, partition, to);
    });
    this.#parts.onAppended([{ topic, admitted: true }]);
  }

  async #entryOf(record: BusRecord): Promise<NewEntry | null> {
    const judged = await judge(record, this.#parts.authorities);
    return isHeartbeat(record, judged)
      ? null
      : { record, entry: makeEntry(record, judged, this.#parts.keys) };
  }
}

async function append(tx: Tx, batch: readonly Read<NewEntry | null>[]): Promise<Ingested> {
  const appended = batch.flatMap(({ said }) => said ?? []);
  await appendEntries(tx, appended);
  if (appended.length > 0) faultPoint('append.before_commit');
  return { appended, queued: [] };
}

/** A record that our own code cannot log is kept, and the log says where it is missing. */
async function setAside(tx: Tx, record: BusRecord, error: unknown): Promise<Aside<Ingested>> {
  const parked = await park(tx, GROUP, [{ record, why: 'bug', ...failureText(error), holds: false }]);
  const told = parkedRecords(parked, { group: GROUP, atMs: Date.now() });
  return { holds: false, effects: { appended: [], queued: await enqueue(tx, told) } };
}

const isHeartbeat = (record: BusRecord, judged: Judgement): boolean =>
  record.topic === REVOCATIONS &&
  judged.admitted &&
  judged.by === 'service' &&
  judged.service === 'revoker' &&
  record.key?.toString('latin1') === HEARTBEAT_KEY;
