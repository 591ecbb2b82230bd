/** How far the log of each partition reaches, and where to start reading in it. */
import { BusError, type Position } from './bus.js';

export interface LogBounds {
  topic: string;
  partition: number;
  /** Offset of the oldest record that is still there. */
  low: bigint;
  /** Offset of the next record to come. */
  high: bigint;
}

/**
 * Where to start reading each assigned partition: its stored position, or the oldest record.
 * @throws BusError ERR_OFFSET_OUT_OF_RANGE when records between the stored position and the log are gone
 */
export function startingPoints(
  assigned: readonly { topic: string; partition: number }[],
  stored: readonly Position[],
  bounds: readonly LogBounds[],
): Position[] {
  return assigned.map(({ topic, partition }) => {
    const here = (p: { topic: string; partition: number }) => p.topic === topic && p.partition === partition;
    const log = bounds.find(here);
    if (log === undefined) {
      throw new BusError('ERR_BUS_UNREACHABLE', 'an assigned partition has no log', { topic, partition });
    }
    const { next, reached = next } = stored.find(here) ?? { next: log.low };
    assertInRange(next, log);
    assertInRange(reached, log);
    return { topic, partition, next };
  });
}

/** @throws BusError ERR_OFFSET_OUT_OF_RANGE */
export function assertInRange(next: bigint, { topic, partition, low, high }: LogBounds): void {
  if (next >= low && next <= high) return;
  throw new BusError(
    'ERR_OFFSET_OUT_OF_RANGE',
    next < low
      ? 'records were deleted before they were read'
      : 'the log ends before the stored position: it was truncated, or the topic made anew',
    { topic, partition, next: String(next), low: String(low), high: String(high) },
  );
}
