/** What must be true of a log; see judge-log.mjs. */
import type { NoteVerifier } from '#merkle/note-key.js';

export interface LogFindings {
  lost: string[];
  duplicated: string[];
  broken: string[];
}

export class LogJudge {
  constructor(notes: readonly string[], verifier: NoteVerifier, topics: readonly string[]);
  take(
    rows: readonly {
      seq: string;
      leaf: Buffer;
      leaf_hash: Uint8Array;
      topic: string;
      partition: number;
      offset: string;
    }[],
  ): void;
  finish(
    ends: readonly { topic: string; partition: number; next: bigint }[],
    head: { size: string; nodes: Uint8Array },
  ): LogFindings;
}
export function isSound(found: LogFindings): boolean;
