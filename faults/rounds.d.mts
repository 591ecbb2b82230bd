/** One round after the other on one installation; see rounds.mjs. */
import type { Accident } from './plan.mjs';

/** What must not be: one line for each. */
export interface Found {
  lost: string[];
  duplicated: string[];
  orphans: string[];
  late: string[];
}

export function nothingFound(): Found;
export function isClean(found: Found): boolean;

export class Rounds {
  /** Brings an installation up, on free ports. The services run from `dist`, so it must be built. */
  static open(options?: { lateMs?: number; hasCache?: boolean }): Promise<Rounds>;
  /**
   * @param accidents that do not stand in each other's way
   * @param next what a service is to die of when its turn comes again
   * @returns those that came about, and what was found once everything had settled
   */
  play(
    accidents: readonly Accident[],
    options: { seed: number; next: (service: string) => Accident | null },
  ): Promise<{ happened: Accident[]; found: Found; notes: string[]; longestMs: number }>;
  /** Everything once more, now that nothing is on its way any more. */
  judgeAll(): Promise<Found>;
  /** All that stands on the topics about the first task that a finding is about, a line each, and what the services warned of. */
  timelineOf(found: Found): string[];
  readonly entries: bigint;
  close(): Promise<void>;
}
