/**
 * Which of the records that wait one transaction takes on. Where somebody waits for what follows from some of them, those go first, and
 * with them what comes before them in their line (`overtaking.ts`). As many others go along as somebody waits for: they never come to stand still,
 * and most of them find their time between two of the others. An end is as much work as a call, or more.
 */
import type { BusRecord } from '#bus/bus.js';

export interface Choice {
  /** How much one transaction takes, by weight. */
  room: number;
  weigh: (record: BusRecord) => number;
  /** Whether somebody waits for what follows from it. */
  hurries: (record: BusRecord) => boolean;
  /** Records of one line keep their order. */
  lineOf: (record: BusRecord) => string;
}

/** Both in the order in which they came. */
export interface NextBatch {
  batch: BusRecord[];
  rest: BusRecord[];
}

/** @param waiting in the order in which they came, and so in order within each line. @returns a batch of one at the least */
export function nextBatch(
  waiting: readonly BusRecord[],
  { room, weigh, hurries, lineOf }: Choice,
): NextBatch {
  const awaited = waiting.filter(hurries);
  if (awaited.length === 0 || awaited.length === waiting.length) {
    const count = countIn(waiting, room, weigh);
    return { batch: waiting.slice(0, count), rest: waiting.slice(count) };
  }
  const lines = new Map(waiting.map((record) => [record, lineOf(record)]));
  const inLine = (record: BusRecord) => lines.get(record) ?? '';
  const lastAwaited = new Map(awaited.map((record) => [inLine(record), record.offset]));
  const goesFirst = (record: BusRecord) => record.offset <= (lastAwaited.get(inLine(record)) ?? -1n);
  const first = waiting.filter(goesFirst);
  const count = countIn(first, room, weigh);
  const isFull = new Set(first.slice(count).map(inLine));
  const others = waiting.filter((record) => !goesFirst(record) && !isFull.has(inLine(record)));
  const going = first.slice(0, count);
  const along = countIn(others, weightOf(going.filter(hurries), weigh), weigh);
  const taken = new Set([...going, ...others.slice(0, along)]);
  return {
    batch: waiting.filter((record) => taken.has(record)),
    rest: waiting.filter((record) => !taken.has(record)),
  };
}

export const weightOf = (records: readonly BusRecord[], weigh: (record: BusRecord) => number): number =>
  records.reduce((sum, record) => sum + weigh(record), 0);

/** How many of them one transaction has room for, from the first on. */
export function countIn(
  records: readonly BusRecord[],
  room: number,
  weigh: (record: BusRecord) => number,
): number {
  let left = room;
  let count = 0;
  for (const record of records) {
    left -= weigh(record);
    if (left < 0 && count > 0) break;
    count += 1;
  }
  return count;
}
