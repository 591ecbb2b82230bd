/** What the auditor does with what the signer signs: it publishes each checkpoint, and says where none comes though the log grows. */
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { repeat } from '#store/repeat.js';
import { unsignedMs } from './log/checkpoints.js';
import { LogError } from './log/log-error.js';
import { publishCheckpoints } from './log/publish-checkpoints.js';

const LOOK_EVERY_MS = 1_000;
/** Three times as long as an entry may wait for its checkpoint. */
const UNSIGNED_LONG_MS = 30_000;

export interface PublishedCheckpointsParts {
  db: Database;
  /** The log's name. */
  origin: string;
  /** Told of the entries that it made of checkpoints by other keys. */
  onAppended: (appended: readonly { topic: string; admitted: boolean }[]) => void;
  /** Publishes; what fails there is sent later out of the outbox. */
  send: (queued: QueuedRecord[]) => Promise<void>;
  warn: (fields: object, message: string) => void;
  everyMs?: number;
}

export class PublishedCheckpoints {
  readonly #parts: PublishedCheckpointsParts;
  #looking: { stop: () => Promise<void> } | undefined;
  /** Why publishing stands still: what is stored is not a checkpoint of this log. */
  #refusal: LogError | undefined;

  constructor(parts: PublishedCheckpointsParts) {
    this.#parts = parts;
  }

  start(): void {
    const { warn, everyMs = LOOK_EVERY_MS } = this.#parts;
    this.#looking = repeat(
      everyMs,
      () => this.#look(),
      (err) => warn({ err }, 'checkpoints are not published'),
    );
  }

  async stop(): Promise<void> {
    await this.#looking?.stop();
  }

  /** For readiness. */
  async reasons(): Promise<string[]> {
    if (this.#refusal !== undefined) return ['a checkpoint is not of this log'];
    return (await unsignedMs(this.#parts.db.pool)) > UNSIGNED_LONG_MS
      ? ['the log grows and nobody signs it']
      : [];
  }

  async #look(): Promise<void> {
    const { db, origin, onAppended, send, warn } = this.#parts;
    try {
      const { queued, appended } = await publishCheckpoints(db, origin);
      this.#refusal = undefined;
      onAppended(appended.map(({ record, entry }) => ({ topic: record.topic, admitted: entry.admitted })));
      if (queued.length > 0)
        send(queued).catch((err: Error) => warn({ err }, 'checkpoints are not published yet'));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      // Said once, not each second.
      if (this.#refusal?.code !== error.code) warn({ err: error }, 'a checkpoint is not published');
      this.#refusal = error;
    }
  }
}
