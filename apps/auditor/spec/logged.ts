/** Records as the entries of a task in the log, one after the other. */
import type { BusRecord } from '#bus/bus.js';
import type { Entry } from '../src/leaf/entry.js';
import type { KeptPayload } from '../src/log/entries.js';
import type { TaskEntry } from '../src/story/task-entries.js';
import type { World } from './world.js';

const AT = Date.parse('2026-11-24T19:31:00.000Z');

export async function logged(
  world: World,
  records: readonly BusRecord[],
): Promise<{ entries: TaskEntry[]; payloads: Map<bigint, KeptPayload> }> {
  const payloads = new Map<bigint, KeptPayload>();
  const made = await Promise.all(records.map((record) => world.entryOf(record)));
  const entries = records.map((record, i) => {
    const entry = made[i] as Entry;
    const seq = BigInt(i);
    payloads.set(seq, { seq, entryKey: entry.entryKey, value: entry.payload.value });
    return {
      seq,
      leaf: entry.leaf,
      leafHash: Buffer.from(entry.leafHash),
      topic: record.topic,
      appendedAtMs: AT + i,
    };
  });
  return { entries, payloads };
}
