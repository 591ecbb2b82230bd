/** What the parts of the bus' contract share: an opened bus, fresh topics, readers, a store of positions. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus, BusRecord, OutgoingRecord, Position } from './bus.js';

/** Waits for a condition that a consumer brings about. @throws Error after `timeoutMs` */
export async function until(condition: () => boolean, timeoutMs = 30_000): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!condition()) {
    if (Date.now() > endMs) throw new Error('the condition was not met in time');
    await sleep(10);
  }
}

/** Reads at least `count` records, from the given positions or the oldest record, in order per partition. */
export async function readAll(
  bus: Bus,
  topic: string,
  count: number,
  from: readonly Position[] = [],
  group = `reader-${randomUUID()}`,
): Promise<BusRecord[]> {
  const read: BusRecord[] = [];
  const crashes: Error[] = [];
  const next = new Map(from.map((position) => [position.partition, position]));
  const consumer = await bus.subscribe({
    group,
    topics: [topic],
    // Asked again where the group is formed anew meanwhile.
    positions: () => Promise.resolve([...next.values()]),
    onBatch: (records) => {
      read.push(...records);
      for (const { partition, offset } of records)
        next.set(partition, { topic, partition, next: offset + 1n });
      return Promise.resolve();
    },
    onCrash: (error) => void crashes.push(error),
  });
  await until(() => read.length >= count || crashes.length > 0).finally(() => consumer.stop());
  if (crashes[0] !== undefined) throw crashes[0];
  return read;
}

/** A handler that stays in the batch which holds this offset until it is released. */
export function handAtOffset(offset: bigint) {
  let begin!: () => void;
  let release!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  const released = new Promise<void>((resolve) => (release = resolve));
  const handle = async (records: readonly BusRecord[]) => {
    if (!records.some((record) => record.offset === offset)) return;
    begin();
    await released;
  };
  return { begun, release, handle };
}

/** Positions and effects in one place, changed together: what a database transaction does for a service. */
export class PositionBook {
  readonly effects: { who: string; text: string }[] = [];
  readonly #next = new Map<string, Position>();

  read(assigned: readonly { topic: string; partition: number }[]): Promise<Position[]> {
    const known = assigned.map(({ topic, partition }) => this.#next.get(`${topic}/${partition}`));
    return Promise.resolve(known.filter((position) => position !== undefined));
  }

  /** Takes effect only for records at or after the position, as an owner that was overtaken finds out. */
  apply(who: string, records: readonly BusRecord[]): Promise<void> {
    for (const { topic, partition, offset, value } of records) {
      const key = `${topic}/${partition}`;
      if (offset < (this.#next.get(key)?.next ?? 0n)) continue;
      this.effects.push({ who, text: String(value) });
      this.#next.set(key, { topic, partition, next: offset + 1n });
    }
    return Promise.resolve();
  }
}

/** What the port keeps its users from writing, but others on the bus may write. */
export interface RawWriter {
  write(
    topic: string,
    record: {
      key: string;
      value: Buffer;
      headers: Record<string, string | string[]>;
      timestampMs?: number;
    },
  ): Promise<void>;
}

export interface OpenedBus {
  bus: Bus;
  raw: RawWriter;
  close(): Promise<void>;
}

export const unique = (what: string) => `${what}-${randomUUID()}`;

/** A topic of this test's own. */
export async function freshTopic(
  bus: Bus,
  partitions = 1,
  config: Record<string, string> = {},
): Promise<string> {
  const topic = unique('contract');
  await bus.ensureTopics([{ topic, partitions, config }]);
  return topic;
}

export const record = (topic: string, key: string, text: string): OutgoingRecord => ({
  topic,
  key,
  value: Buffer.from(text),
  headers: {},
});

export const texts = (records: readonly BusRecord[]) => records.map(({ value }) => value?.toString());

/** For subscriptions that must not end. */
export const fail = (cause: Error): never => {
  throw cause;
};
