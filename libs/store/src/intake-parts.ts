/** What a service gives its intake (`intake.ts`): how to read, to handle, and to set aside. */
import type { BusRecord } from '#bus/bus.js';
import type { Database, Last, Tx } from './database.js';
import type { Read, Reader } from './readings.js';

/** A record that failed, set aside. @returns whether later records of its key wait behind it, and what follows. */
export interface Aside<E> {
  holds: boolean;
  effects: E;
}

export interface IntakeParts<R, E> {
  db: Database;
  group: string;
  read: Reader<R>;
  /** The effects of records, in order within each key, in their transaction. Called again where it failed. */
  handle: (tx: Tx, batch: readonly Read<R>[]) => Promise<E | Last<E>>;
  /** After each commit, in the order of the commits. */
  after: (effects: E) => void;
  /** Sets a record aside in the transaction that moves the position behind it. */
  setAside: (tx: Tx, record: BusRecord, error: unknown) => Promise<Aside<E>>;
  /** Sets records aside that wait behind another of their key. */
  setBehind: (tx: Tx, records: readonly BusRecord[]) => Promise<E>;
  /** Whether a record waits where its key is held; others are handled as if it were not. */
  waitsBehind: (record: BusRecord) => boolean;
  /** Whether a record says anything to this reader. The position behind those that do not is stored now and then. */
  concerns?: (record: BusRecord) => boolean;
  /** What a record takes of the hundred that one transaction has room for, at most; 1 if nothing is said. */
  weigh?: (record: BusRecord) => number;
  /** How long a transaction should take, where there is more than one's worth: batches grow and shrink towards it. None: as many as there is room for. */
  aimMs?: number;
  /** The same of batches in which no record hurries, which those that do come behind; `aimMs` if nothing is said. */
  calmAimMs?: number;
  /** How long others are to have the processor after such a batch, which took `ms`, unless a record that hurries comes; the oldest that waits was appended `lateMs` ago. 0 if nothing is said. */
  restsFor?: (ms: number, lateMs: number) => number;
  /** Asked before each batch: resolves when there is room for what follows from it. */
  room?: () => Promise<void>;
  /** How long records may gather where none of them hurries; 0 if nothing is said. */
  gatherMs?: number;
  /** Whether somebody waits for what follows from a record: it goes first, with what comes before it of its key. */
  hurries?: (record: BusRecord) => boolean;
  warn: (fields: object, message: string) => void;
  /** Nothing more can be taken: not even setting a record aside succeeds. The process must end. */
  onDead: (cause: Error) => void;
}
