/** An auditor that is killed while records pour in; see log-rounds.mjs. */
import type { LogStep } from './log-plan.mjs';

export class LogRounds {
  /** Brings an installation up, on free ports, and ends broker and revoker. The auditor runs from `dist`, so it must be built. */
  static open(options?: { perSecond?: number }): Promise<LogRounds>;
  play(step: LogStep): Promise<void>;
  /** What must not be, a line each. */
  judge(): Promise<{
    found: { lost: string[]; duplicated: string[]; broken: string[] };
    entries: bigint;
    checkpoints: number;
  }>;
  /** What the auditor warned of, last. */
  warnings(): string[];
  close(): Promise<void>;
}
