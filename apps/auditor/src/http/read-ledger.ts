/**
 * The record of who read the audit. What somebody reads is recorded before it is answered. The same again within ten seconds, such as the pages of
 * one query, is counted and told as one event at their end, and so is what is beyond a hundred different reads: whoever asks in a loop does not
 * flood the log that they read. What was only counted is lost when the process is killed; that it was read once is not.
 */
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { repeat } from '#store/repeat.js';
import { recordReads, type AuditRead } from '../reads.js';

const WINDOW_MS = 10_000;
/** Different reads of one reader in a window that are recorded one by one. */
const MAX_DIFFERENT = 100;

export interface ReadLedgerParts {
  db: Database;
  /** Publishes what was queued; what fails is sent later out of the outbox. */
  send: (queued: QueuedRecord[]) => void;
  warn: (fields: object, message: string) => void;
}

interface Counted {
  read: AuditRead;
  /** Settles with the first one of them. */
  durable: Promise<void>;
  /** Beside those that were recorded. */
  more: number;
}
interface Window {
  sinceMs: number;
  counted: Map<string, Counted>;
}

export class ReadLedger {
  /** By reader: only known readers come here, so the catalogue bounds it. */
  readonly #windows = new Map<string, Window>();
  readonly #telling: { stop: () => Promise<void> };

  constructor(private readonly parts: ReadLedgerParts) {
    this.#telling = repeat(
      WINDOW_MS,
      () => this.tell(Date.now() - WINDOW_MS),
      (err) => parts.warn({ err }, 'reads that were counted are not recorded yet'),
    );
  }

  /** Resolves once the read is durable, or counted with one that is. */
  async record(read: AuditRead, nowMs: number): Promise<void> {
    const window = this.#windows.get(read.reader) ?? { sinceMs: nowMs, counted: new Map<string, Counted>() };
    this.#windows.set(read.reader, window);
    const key = keyOf(read);
    const counted = window.counted.get(key) ?? folded(window, read);
    if (counted !== undefined) {
      counted.more += 1;
      return await counted.durable;
    }
    const durable = this.#write([read], nowMs);
    window.counted.set(key, { read, durable, more: 0 });
    // The next one tries again.
    durable.catch(() => window.counted.delete(key));
    await durable;
  }

  /** Records what was counted in windows that began by then. */
  async tell(byMs: number): Promise<void> {
    const over = [...this.#windows].filter(([, { sinceMs }]) => sinceMs <= byMs);
    for (const [reader] of over) this.#windows.delete(reader);
    const told = over
      .flatMap(([, { counted }]) => [...counted.values()])
      .filter(({ more }) => more > 0)
      .map(({ read, more }) => ({ ...read, count: more }));
    if (told.length > 0) await this.#write(told, Date.now());
  }

  async stop(): Promise<void> {
    await this.#telling.stop();
    await this.tell(Infinity);
  }

  async #write(reads: readonly AuditRead[], nowMs: number): Promise<void> {
    this.parts.send(await recordReads(this.parts.db, reads, nowMs));
  }
}

const keyOf = ({ role, route, subject, taskId, query }: AuditRead): string =>
  JSON.stringify([role, route, subject, taskId, query]);

/** One place for all that there is no room for, by route; undefined while there is room. */
function folded({ counted }: Window, { reader, role, route, asOf }: AuditRead): Counted | undefined {
  if (counted.size < MAX_DIFFERENT) return undefined;
  const rest: AuditRead = { reader, role, route, asOf };
  const key = `rest ${keyOf(rest)}`;
  const found = counted.get(key) ?? { read: rest, durable: Promise.resolve(), more: 0 };
  counted.set(key, found);
  return found;
}
