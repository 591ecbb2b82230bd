/**
 * Reads topics from somewhere to where they ended when it began, apart from the work of any group. For a look at what was
 * written, not for handling it: nothing is stored of how far it came.
 */
import { randomUUID } from 'node:crypto';
import { BusError, type Bus, type BusRecord, type LogEnd, type Position } from './bus.js';
import { deferred } from './deferred.js';

export interface Stretch {
  /** Begins the name of a consumer group that is used once. */
  group: string;
  topics: readonly string[];
  /** Where to begin in a partition; what is gone already is left out. */
  from: (end: LogEnd) => bigint;
}

/** So long without a record, and there is no telling what is further on. */
const STALLED_MS = 15_000;

const keyOf = ({ topic, partition }: { topic: string; partition: number }) => `${topic}/${partition}`;

/**
 * @param onRecords is given the records of one partition, in order; some twice where reading had to begin again.
 * @returns where the topics ended
 * @throws BusError where they could not be read to there; what was not read is not known
 */
export async function readToEnd(
  bus: Bus,
  { group, topics, from }: Stretch,
  onRecords: (records: readonly BusRecord[]) => void | Promise<void>,
): Promise<LogEnd[]> {
  const ends = await bus.ends(topics);
  const next = new Map<string, Position>();
  const left = new Map<string, bigint>();
  for (const end of ends) {
    const { topic, partition, oldest } = end;
    const wanted = from(end);
    const start = wanted < oldest ? oldest : wanted;
    if (start >= end.next) continue;
    next.set(keyOf(end), { topic, partition, next: start });
    left.set(keyOf(end), end.next);
  }
  if (left.size === 0) return ends;

  const { promise, resolve, reject } = deferred();
  const stalled = () =>
    reject(new BusError('ERR_BUS_UNREACHABLE', 'a topic was not read to its end', { left: left.size }));
  let timer = setTimeout(stalled, STALLED_MS);
  const consumer = await bus.subscribe({
    group: `${group}-${randomUUID()}`,
    topics: [...new Set(ends.filter((end) => left.has(keyOf(end))).map(({ topic }) => topic))],
    // What is read already, or is of no interest, is begun at its end.
    positions: (assigned) =>
      Promise.resolve(
        assigned.flatMap(
          (place) => next.get(keyOf(place)) ?? ends.find((end) => keyOf(end) === keyOf(place)) ?? [],
        ),
      ),
    onBatch: async (records) => {
      const [first] = records;
      const last = records.at(-1);
      const end = first === undefined ? undefined : left.get(keyOf(first));
      if (first === undefined || last === undefined || end === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(stalled, STALLED_MS);
      await onRecords(records.filter(({ offset }) => offset < end));
      next.set(keyOf(first), { topic: first.topic, partition: first.partition, next: last.offset + 1n });
      if (last.offset + 1n >= end) left.delete(keyOf(first));
      if (left.size === 0) resolve();
    },
    onCrash: reject,
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    await consumer.stop();
  }
  return ends;
}

/** Reads on from the given places until a record comes that is wanted. @throws BusError where the subscription died */
export async function awaitRecord(
  bus: Bus,
  { group, from }: { group: string; from: readonly Position[] },
  isWanted: (record: BusRecord) => boolean,
): Promise<void> {
  const next = new Map(from.map((position) => [keyOf(position), position]));
  const { promise, resolve, reject } = deferred();
  const consumer = await bus.subscribe({
    group: `${group}-${randomUUID()}`,
    topics: [...new Set(from.map(({ topic }) => topic))],
    positions: (assigned) => Promise.resolve(assigned.flatMap((place) => next.get(keyOf(place)) ?? [])),
    onBatch: (records) => {
      for (const { topic, partition, offset } of records)
        next.set(keyOf({ topic, partition }), { topic, partition, next: offset + 1n });
      if (records.some(isWanted)) resolve();
      return Promise.resolve();
    },
    onCrash: reject,
  });
  try {
    await promise;
  } finally {
    await consumer.stop();
  }
}
