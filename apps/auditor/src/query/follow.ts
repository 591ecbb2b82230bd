/**
 * The log as it grows, for one reader: entries once a signed head covers them, in order, and after each head that head itself. One page is read
 * when the one before is taken, so that nothing piles up here for a reader who is slow, and a reader who comes back goes on at a sequence number.
 */
import type { StoredEntry } from '../log/entries.js';
import type { Page } from './page.js';
import type { Snapshot } from './snapshot.js';

export interface FollowParts {
  newest: () => Promise<Snapshot | undefined>;
  /** The next page of `[first, end)`. */
  readPage: (first: bigint, end: bigint) => Promise<Page>;
  /** Resolves when there may be another head. */
  wait: () => Promise<void>;
  /** Asked before each page and each wait. */
  mayGoOn: () => boolean;
  sink: Sink;
}

/** Both resolve once there is room for more, and reject when the reader is gone. */
export interface Sink {
  entry: (entry: StoredEntry) => Promise<void>;
  /** All entries before `next` were looked at. */
  head: (snapshot: Snapshot, next: bigint) => Promise<void>;
}

/** Returns when it may not go on; rejects when the reader is gone. @param first the first entry that is wanted @param at told where it is */
export async function follow(first: bigint, parts: FollowParts, at: (next: bigint) => void): Promise<void> {
  const { newest, readPage, wait, mayGoOn, sink } = parts;
  let next = first;
  let told: bigint | undefined;
  while (mayGoOn()) {
    const snapshot = await newest();
    if (snapshot !== undefined && snapshot.size !== told) {
      while (next < snapshot.size) {
        if (!mayGoOn()) return;
        const { entries, last } = await readPage(next, snapshot.size);
        for (const entry of entries) {
          await sink.entry(entry);
          at(entry.seq + 1n);
        }
        next = last === undefined ? snapshot.size : last + 1n;
        at(next);
      }
      await sink.head(snapshot, next);
      told = snapshot.size;
    }
    await wait();
  }
}
