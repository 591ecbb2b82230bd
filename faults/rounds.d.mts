/** One round after the other on one installation; see rounds.mjs. */
import type { Death } from './plan.mjs';

/** What must not be: one line for each. */
export interface Found {
  lost: string[];
  duplicated: string[];
  orphans: string[];
  late: string[];
}

export function nothingFound(): Found;

export class Rounds {
  /** Brings an installation up, on free ports. The services run from `dist`, so it must be built. */
  static open(): Promise<Rounds>;
  /**
   * @param next what a service is to die of when its turn comes again
   * @returns those that died at their points, and what was found once everything had settled
   */
  play(
    deaths: readonly Death[],
    options: { seed: number; next: (service: string) => Death | null },
  ): Promise<{ passed: Death[]; found: Found }>;
  /** Everything once more, now that nothing is on its way any more. */
  judgeAll(): Promise<Found>;
  close(): Promise<void>;
}
