/**
 * The bus: an ordered, replayable log per topic and partition. A port of five verbs; every adapter passes `bus.contract.ts`.
 *
 * Order is kept per key (partition = murmur2(key), as in the Java client). Delivery is at least once: a batch handler
 * MUST be idempotent, and MUST store its position (`next offset`) itself, in the transaction of its effects.
 */

/** A record to be written. Header names are lower case. */
export interface OutgoingRecord {
  topic: string;
  key: string;
  /** `null` is a tombstone on a compacted topic. */
  value: Buffer | null;
  headers: Record<string, string>;
}

/** A record as read: nothing about it has been verified. A header that was given twice is an array. */
export interface BusRecord {
  topic: string;
  partition: number;
  offset: bigint;
  /** The broker's append time where the topic says LogAppendTime, else the producer's claim. Epoch ms. */
  appendedAtMs: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, Buffer | string | (Buffer | string)[] | undefined>;
}

export interface Position {
  topic: string;
  partition: number;
  /** The offset to read next. */
  next: bigint;
  /** Behind the last record that was handled, where some before it wait; `next` if nothing is said. */
  reached?: bigint;
}

/** How far the log of a partition reaches. */
export interface LogEnd extends Position {
  /** Offset of the oldest record that is still there. */
  oldest: bigint;
}

export interface Subscription {
  group: string;
  topics: readonly string[];
  /** Between two fetches that bring something there may be as much as this, so that fewer bring more. A bus may hurry. */
  gatherMs?: number;
  /**
   * Who reads, and whether another process does no more: members of the group that were killed need not be waited for. `isDead` may be
   * wrong of a process that lives; it joins again.
   */
  process?: { id: string; isDead: (processId: string) => Promise<boolean> };
  /**
   * Where to start reading the partitions just assigned. A partition it does not name starts at the oldest record.
   * Called again at every rebalance; reading waits for the answer.
   */
  positions(assigned: readonly { topic: string; partition: number }[]): Promise<Position[]>;
  /**
   * Handles the records of one fetch of one partition, in order. Resolving acknowledges them; rejecting delivers them
   * again, and after a few tries ends the subscription through `onCrash`.
   */
  onBatch(records: readonly BusRecord[]): Promise<void>;
  /** The subscription is dead and will not come back: the process must end with a status that is not 0. */
  onCrash(cause: Error): void;
}

export interface Consumer {
  /** Resolves when partitions are assigned and reading has begun. */
  ready(): Promise<void>;
  /** True while this consumer is a member of its group with its positions restored. */
  isReady(): boolean;
  /** Waits for running handlers and leaves the group. */
  stop(): Promise<void>;
}

export interface TopicToEnsure {
  topic: string;
  partitions: number;
  config: Record<string, string>;
}

export interface Bus {
  /** Resolves once every record is acknowledged by the bus (all in-sync replicas). Rejects if any is not: some may then be there. */
  publish(records: readonly OutgoingRecord[]): Promise<void>;
  subscribe(subscription: Subscription): Promise<Consumer>;
  /** Creates what is missing. @throws BusError ERR_TOPIC_MISCONFIGURED when an existing topic's timestamp type or partitions differ. */
  ensureTopics(topics: readonly TopicToEnsure[]): Promise<void>;
  /** The end offset (offset of the next record to come) of every partition of these topics. */
  ends(topics: readonly string[]): Promise<LogEnd[]>;
  close(): Promise<void>;
}

export type BusErrorCode =
  | 'ERR_TOPIC_MISCONFIGURED'
  | 'ERR_OFFSET_OUT_OF_RANGE'
  | 'ERR_BUS_UNREACHABLE'
  | 'ERR_BUS_CRASHED'
  /** A PEM file of the settings is missing or no PEM. */
  | 'ERR_BUS_TLS_FILE'
  /** The bus will never take this record: too large, no such topic, not allowed. */
  | 'ERR_RECORD_REFUSED';

export class BusError extends Error {
  override readonly name = 'BusError';
  constructor(
    readonly code: BusErrorCode,
    message: string,
    readonly fields: Record<string, string | number> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
