/** Entries that no record caused: what the log has to say about itself. */
import { canonical } from '#events/jcs.js';
import { serviceSource } from '#events/services.js';
import { hasher } from '#merkle/node/hasher.js';
import type { Entry } from './entry.js';
import { newEntryKey } from './keys.js';

/** Records that the bus had deleted before they were read: offsets `[from, to)` of a partition. */
export interface Gap {
  topic: string;
  partition: number;
  from: bigint;
  to: bigint;
}

export const GAP_DETECTED = 'log.gap_detected';

export function gapEntry(gap: Gap, nowMs: number): Entry {
  const leaf = Buffer.from(
    canonical({
      v: 1,
      type: GAP_DETECTED,
      actor: serviceSource('auditor'),
      topic: gap.topic,
      partition: gap.partition,
      at: new Date(nowMs).toISOString(),
      event: { from: String(gap.from), to: String(gap.to) },
    }),
  );
  return {
    leaf,
    leafHash: hasher.leaf(leaf),
    admitted: true,
    type: GAP_DETECTED,
    taskId: null,
    eventId: null,
    payload: { recordKey: null, headers: null, value: null },
    entryKey: newEntryKey(),
  };
}
