/**
 * Sends the outbox. The writer hands over its copy after the commit, so nothing is read back on the fast path; rows are
 * read only at start, at takeover of a partition, and when old (their writer died). At least once: readers dedupe by `ce_id`.
 *
 * Order is kept per task: writers of one task are serialised by its row lock, one send is in flight, and a batch is
 * sorted by the outbox's counter.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BusError, type Bus, type OutgoingRecord } from '#bus/bus.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { transact, type Database } from './database.js';
import { lettingOthersIn } from '#bus/letting-in.js';
import { readOutbox, type QueuedRecord, type UnsignedRecord } from './outbox.js';

/** All headers of a record: attributes, `mayfly-store`, `mayfly-sig`. */
export type SignRecord = (record: UnsignedRecord, store: string) => Record<string, string>;

export interface RelayParts {
  db: Database;
  bus: Bus;
  sign: SignRecord;
  /** Topics whose records go in a request of their own, before all others: who reads them is not kept waiting by who reads the rest. */
  first?: ReadonlySet<string>;
  /** Told of failed sends and of rows that a dead writer left. Constant messages. */
  warn: (fields: object, message: string) => void;
}

interface Waiting {
  record: QueuedRecord;
  since: number;
  done: () => void;
  /** Told where the bus will never take the record; whoever acts on an acknowledgement leaves it out. */
  parked?: () => void;
}

const BATCH = 500;
/** Rows read at once: what is waiting may be more than memory holds. */
const DRAIN_AT_ONCE = 1_000;
const OLD_MS = 2_000;
/** Each deletion is a commit, and nobody waits for it; it is well before a row is old. */
const DELETE_AFTER_MS = 100;
const SWEEP_EVERY_MS = 1_000;

export class Relay {
  readonly #parts: RelayParts;
  #epoch = '';
  #queue: Waiting[] = [];
  #pumping: Promise<void> | undefined;
  #isPumping = false;
  /** Whether the request before was one of those that go first. */
  #wasUrgent = false;
  #sent: bigint[] = [];
  /** What the bus refuses in this life of the process. */
  readonly #parked = new Set<bigint>();
  #deleting: Promise<void> | undefined;
  #deleteTimer: NodeJS.Timeout | undefined;
  #sweeper: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** Sends what an earlier life left behind, then stands ready. */
  async start(): Promise<void> {
    const { rows } = await this.#parts.db.pool.query<{ epoch: string }>('SELECT epoch FROM store_meta');
    this.#epoch = rows[0]?.epoch ?? '';
    await this.drain(0);
    const sweep = () => {
      this.drain(OLD_MS)
        .catch((error: Error) => this.#parts.warn({ err: error }, 'outbox sweep failed'))
        .finally(() => {
          if (!this.#stopped) this.#sweeper = setTimeout(sweep, SWEEP_EVERY_MS).unref();
        });
    };
    this.#sweeper = setTimeout(sweep, SWEEP_EVERY_MS).unref();
  }

  /** Resolves once the bus has acknowledged these records. Tries again for as long as it takes: the rows are there anyway. */
  send(records: readonly QueuedRecord[]): Promise<void> {
    return this.#hand(records, false);
  }

  /** @param orParked resolves for what the bus refuses for good, too. */
  #hand(records: readonly QueuedRecord[], orParked: boolean): Promise<void> {
    const since = performance.now();
    const acknowledged = records.map(
      (record) =>
        new Promise<void>((done) =>
          this.#queue.push({ record, since, done, ...(orParked ? { parked: done } : {}) }),
        ),
    );
    if (!this.#isPumping)
      this.#pumping = this.#pump().catch((error: Error) =>
        this.#parts.warn({ err: error }, 'relay stopped with records unsent'),
      );
    return Promise.all(acknowledged).then(() => undefined);
  }

  /** How long the oldest record in hand has waited; 0 if none does. */
  oldestMs(): number {
    const since = Math.min(...this.#queue.map((waiting) => waiting.since));
    return Number.isFinite(since) ? performance.now() - since : 0;
  }

  /** Rows of records that the bus refused for good, in this life of the process. */
  get refused(): readonly bigint[] {
    return [...this.#parked];
  }

  /** Sends the rows older than this; at takeover of a partition, with 0, before anything newer is decided. */
  async drain(olderThanMs: number): Promise<void> {
    for (let after = 0n, full = true; full;) {
      const rows = await this.#read(olderThanMs, after);
      const inHand = new Set([...this.#queue.map((w) => w.record.id), ...this.#sent, ...this.#parked]);
      await this.#hand(
        rows.filter((row) => !inHand.has(row.id)),
        true,
      );
      after = rows.at(-1)?.id ?? after;
      full = rows.length === DRAIN_AT_ONCE;
    }
  }

  #read(olderThanMs: number, after: bigint): Promise<QueuedRecord[]> {
    return transact(this.#parts.db, async (tx) => {
      // One reader at a time; another process that drains now does the same work.
      await tx.query({
        name: 'lock-relay',
        text: "SELECT pg_advisory_xact_lock(hashtextextended('mayfly.relay.' || $1, 0))",
        values: [this.#parts.db.schema],
      });
      return await readOutbox(tx, olderThanMs, after, DRAIN_AT_ONCE);
    });
  }

  /** Waits for what is queued, and deletes what was sent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#sweeper);
    await this.#pumping;
    clearTimeout(this.#deleteTimer);
    await this.#deleting;
    await this.#delete();
  }

  async #pump(): Promise<void> {
    this.#isPumping = true;
    try {
      while (this.#queue.length > 0) {
        this.#queue.sort((a, b) => (a.record.id < b.record.id ? -1 : a.record.id > b.record.id ? 1 : 0));
        const batch = this.#next();
        const parked = await this.#sendBatch(batch);
        const gone = new Set(batch);
        this.#queue = this.#queue.filter((waiting) => !gone.has(waiting));
        for (const waiting of batch) {
          if (parked.has(waiting)) {
            waiting.parked?.();
            continue;
          }
          this.#sent.push(waiting.record.id);
          waiting.done();
        }
        this.#deleteSoon();
      }
    } finally {
      // In the same turn as the last look at the queue: a send that comes later finds nobody pumping.
      this.#isPumping = false;
    }
  }

  /** Within each partition in the order of the counter. Others wait for one request of such that go first, and no longer. */
  #next(): Waiting[] {
    const { first } = this.#parts;
    const urgent =
      first === undefined || this.#wasUrgent
        ? []
        : this.#queue.filter(({ record }) => first.has(record.topic));
    this.#wasUrgent = urgent.length > 0;
    return (this.#wasUrgent ? urgent : this.#queue).slice(0, BATCH);
  }

  /**
   * @returns what the bus will never take. Such a record keeps its row and holds nobody up; who waits for it is not told, so
   * that nothing is done on the strength of it.
   */
  async #sendBatch(batch: readonly Waiting[]): Promise<Set<Waiting>> {
    const parked = new Set<Waiting>();
    if (await this.#publish(batch)) return parked;
    for (const waiting of batch) {
      if (await this.#publish([waiting])) continue;
      parked.add(waiting);
      this.#parked.add(waiting.record.id);
      const { id, topic } = waiting.record;
      this.#parts.warn({ id: String(id), topic }, 'the bus refuses a record: it is parked');
    }
    return parked;
  }

  #signed(record: QueuedRecord): OutgoingRecord {
    return {
      topic: record.topic,
      key: record.key,
      value: record.value,
      headers: { ...record.extra, ...this.#parts.sign(record, `${this.#epoch}.${record.id}`) },
    };
  }

  /** @returns false if the bus refuses one of them for good. */
  async #publish(batch: readonly Waiting[]): Promise<boolean> {
    const records: OutgoingRecord[] = [];
    const letIn = lettingOthersIn();
    for (const { record } of batch) {
      const others = letIn();
      if (others !== undefined) await others;
      records.push(this.#signed(record));
    }
    for (let delayMs = 50; ; delayMs = Math.min(delayMs * 2, 2_000)) {
      try {
        faultPoint('relay.before_publish');
        await this.#parts.bus.publish(records);
        faultPoint('relay.after_publish');
        return true;
      } catch (error) {
        if (error instanceof BusError && error.code === 'ERR_RECORD_REFUSED') return false;
        if (this.#stopped) throw error;
        this.#parts.warn({ err: error, records: records.length }, 'publish failed, trying again');
        await sleep(delayMs);
      }
    }
  }

  /** Not at once: many rows go in one commit, and nobody waits for it. */
  #deleteSoon(): void {
    this.#deleteTimer ??= setTimeout(() => {
      this.#deleteTimer = undefined;
      this.#deleting ??= this.#delete().finally(() => (this.#deleting = undefined));
    }, DELETE_AFTER_MS).unref();
  }

  /** A failure is harmless: the row is sent again when old, and readers dedupe. */
  async #delete(): Promise<void> {
    while (this.#sent.length > 0) {
      const ids = this.#sent.slice();
      try {
        // In one statement: a record is either waiting here or counted as sent, or this database does not know it (`epoch.ts`).
        await this.#parts.db.pool.query({
          name: 'delete-sent',
          text: `WITH counted AS (UPDATE store_meta SET sent = $2 WHERE sent < $2)
                 DELETE FROM outbox WHERE id = ANY($1::bigint[])`,
          values: [ids, ids.reduce((a, b) => (a > b ? a : b))],
        });
        faultPoint('relay.after_delete');
      } catch (error) {
        this.#parts.warn({ err: error }, 'deleting sent outbox rows failed');
        return;
      }
      this.#sent = this.#sent.slice(ids.length);
    }
  }
}
