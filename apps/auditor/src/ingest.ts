/**
 * From the bus into the log: every record of every topic becomes an entry, whoever wrote it and whatever it says, next to
 * the consumer's position in one transaction. The one exception: a heartbeat that the revoker signed is not an entry, or
 * an idle system would log one a second for ever. A forged one is.
 */
import type { BusRecord } from '#bus/bus.js';
import { REVOCATIONS } from '#events/topics.js';
import { consumeBatch } from '#store/consume.js';
import { transact, type Database } from '#store/database.js';
import { advanceOffset, lockOffset } from '#store/offsets.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { makeEntry, type LeafKeys } from './leaf/entry.js';
import { judge, type Authorities, type Judgement } from './leaf/judge.js';
import { gapEntry, type Gap } from './leaf/own-entry.js';
import { appendEntries, type NewEntry } from './log/append.js';

export const GROUP = 'auditor';
/** Signatures are checked synchronously: between two chunks others get the event loop. */
const CHUNK = 500;
const HEARTBEAT_KEY = 'heartbeat';

export interface IngestParts {
  db: Database;
  authorities: Authorities;
  keys: LeafKeys;
  /** Told after each commit, with the entries that it made. */
  onAppended: (appended: readonly { topic: string; admitted: boolean }[]) => void;
}

export class Ingest {
  readonly #parts: IngestParts;

  constructor(parts: IngestParts) {
    this.#parts = parts;
  }

  /** @param records of one partition, in order. Those below the stored position are left out. */
  async onBatch(records: readonly BusRecord[]): Promise<void> {
    for (let from = 0; from < records.length; from += CHUNK)
      await this.#onChunk(records.slice(from, from + CHUNK));
  }

  async #onChunk(records: readonly BusRecord[]): Promise<void> {
    const { db, onAppended } = this.#parts;
    let appended: NewEntry[] = [];
    await consumeBatch(db, GROUP, records, async (tx, wanted) => {
      appended = wanted.flatMap((record) => this.#entriesOf(record));
      await appendEntries(tx, appended);
      if (appended.length > 0) faultPoint('append.before_commit');
      return { queued: [] };
    });
    if (appended.length > 0) faultPoint('append.after_commit');
    onAppended(appended.map(({ record, entry }) => ({ topic: record.topic, admitted: entry.admitted })));
  }

  /** Records that are gone leave a trace: the position moves behind them and the log says so, in one transaction. */
  async onGap(gap: Gap): Promise<void> {
    const { topic, partition, from, to } = gap;
    await transact(this.#parts.db, async (tx) => {
      const next = await lockOffset(tx, GROUP, topic, partition);
      if (next >= to) return;
      const nowMs = Date.now();
      const record = { topic, partition, offset: from, appendedAtMs: nowMs };
      await appendEntries(tx, [{ record, entry: gapEntry({ ...gap, from: next }, nowMs) }]);
      await advanceOffset(tx, GROUP, topic, partition, to);
    });
    this.#parts.onAppended([{ topic, admitted: true }]);
  }

  #entriesOf(record: BusRecord): NewEntry[] {
    const judged = judge(record, this.#parts.authorities);
    return isHeartbeat(record, judged)
      ? []
      : [{ record, entry: makeEntry(record, judged, this.#parts.keys) }];
  }
}

const isHeartbeat = (record: BusRecord, judged: Judgement): boolean =>
  record.topic === REVOCATIONS &&
  judged.admitted &&
  judged.by === 'service' &&
  judged.service === 'revoker' &&
  record.key?.toString('latin1') === HEARTBEAT_KEY;
