/**
 * Floods of refused records are written down in aggregate: of each window the first ones singly, the others as one count.
 * Only the writing is limited. What was proved authentic has been decided by then, and who was not authenticated counts
 * as nobody: the name that a forger claims is nowhere in here. Pure. Times are the database's clock, in epoch ms.
 */
import type { RefusalCode } from '#events/refusal.js';

export interface RefusedRecord {
  topic: string;
  partition: number;
  offset: bigint;
  valueSha256: string;
  code: RefusalCode;
  reason: string;
  /** Only where it was authenticated. */
  sender?: string;
}

/** What is counted together. */
export interface RefusalKind {
  topic: string;
  partition: number;
  /** Empty: nobody was authenticated. */
  sender: string;
  code: RefusalCode;
}

export interface RefusalWindow extends RefusalKind {
  openedAtMs: number;
  /** Records of this window that were written down singly. */
  singly: number;
  beyond: Beyond | null;
}

/** The others: counted, of which first and last can be looked up on the bus. */
export interface Beyond {
  count: number;
  reason: string;
  first: Place;
  last: Place;
}

interface Place {
  offset: bigint;
  valueSha256: string;
}

export const REFUSAL_WINDOW_MS = 10_000;
/** More for those who are known: they wait to hear what became of each event. */
export const SINGLY = { authenticated: 200, unauthenticated: 20 } as const;

export interface Tally<R extends RefusedRecord> {
  singly: R[];
  /** Windows that are over, to be told in aggregate. */
  closed: (RefusalWindow & { beyond: Beyond })[];
  /** Windows as they stand now. */
  windows: RefusalWindow[];
}

export const kindOf = ({ topic, partition, sender = '', code }: RefusedRecord): RefusalKind => ({
  topic,
  partition,
  sender,
  code,
});
export const keyOfKind = ({ topic, partition, sender, code }: RefusalKind): string =>
  [topic, partition, code, sender].join(' ');

/** @param open the windows of these kinds, as far as there are any. @param refused in the order of each partition. */
export function tally<R extends RefusedRecord>(
  open: readonly RefusalWindow[],
  refused: readonly R[],
  nowMs: number,
): Tally<R> {
  const windows = new Map(open.map((window) => [keyOfKind(window), window]));
  const done: Tally<R> = { singly: [], closed: [], windows: [] };
  for (const record of refused) {
    const kind = kindOf(record);
    const key = keyOfKind(kind);
    let window = windows.get(key);
    if (window === undefined || isOver(window, nowMs)) {
      if (window !== undefined && hasBeyond(window)) done.closed.push(window);
      window = { ...kind, openedAtMs: nowMs, singly: 0, beyond: null };
    }
    if (window.singly < SINGLY[kind.sender === '' ? 'unauthenticated' : 'authenticated']) {
      done.singly.push(record);
      windows.set(key, { ...window, singly: window.singly + 1 });
    } else windows.set(key, { ...window, beyond: counted(window.beyond, record) });
  }
  const touched = new Set(refused.map((record) => keyOfKind(kindOf(record))));
  done.windows = [...touched].sort().flatMap((key) => windows.get(key) ?? []);
  return done;
}

export const isOver = ({ openedAtMs }: RefusalWindow, nowMs: number): boolean =>
  nowMs - openedAtMs >= REFUSAL_WINDOW_MS || nowMs < openedAtMs;

export const hasBeyond = (window: RefusalWindow): window is RefusalWindow & { beyond: Beyond } =>
  window.beyond !== null;

function counted(beyond: Beyond | null, { offset, valueSha256, reason }: RefusedRecord): Beyond {
  const place = { offset, valueSha256 };
  if (beyond === null) return { count: 1, reason, first: place, last: place };
  return { ...beyond, count: beyond.count + 1, last: place };
}
