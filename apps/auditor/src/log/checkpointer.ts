/** Signs new heads soon after they appear, at most one a second, and repeats an unchanged one each hour. */
import type { NoteSigner } from '#merkle/note-key.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { LogError } from './log-error.js';
import { signHead } from './sign-head.js';

export interface CheckpointerParts {
  db: Database;
  signer: NoteSigner;
  /** Publishes; what fails there is sent later out of the outbox. */
  send: (queued: QueuedRecord[]) => Promise<void>;
  warn: (fields: object, message: string) => void;
  everyMs?: number;
  repeatAfterMs?: number;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #lastStartMs = 0;
  #stopped = false;
  /** Why signing stands still: the stored log contradicts what was signed. */
  #refusal: LogError | undefined;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
    this.#everyMs = parts.everyMs ?? 1_000;
  }

  /** Signs the present head, then keeps watching. @throws LogError when it may not be signed. */
  async start(): Promise<void> {
    await this.#sign();
    if (this.#refusal !== undefined) throw this.#refusal;
    this.#schedule(this.#everyMs);
  }

  /** Tells that the log has grown. */
  wake(): void {
    const waitedMs = Date.now() - this.#lastStartMs;
    if (!this.#stopped && this.#running === undefined && waitedMs >= this.#everyMs) this.#schedule(0);
  }

  /** For readiness. */
  get refusal(): LogError | undefined {
    return this.#refusal;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(inMs: number): void {
    clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#sign().finally(() => {
        this.#running = undefined;
        this.#schedule(this.#everyMs);
      });
    }, inMs);
    this.#timer.unref();
  }

  async #sign(): Promise<void> {
    this.#lastStartMs = Date.now();
    try {
      const signed = await signHead(
        this.#parts.db,
        this.#parts.signer,
        this.#parts.repeatAfterMs ?? 3_600_000,
      );
      this.#refusal = undefined;
      if (signed !== undefined)
        this.#parts
          .send(signed.queued)
          .catch((error: Error) => this.#parts.warn({ err: error }, 'checkpoint not published yet'));
    } catch (error) {
      if (error instanceof LogError) this.#refusal = error;
      this.#parts.warn({ err: error }, 'the head was not signed');
    }
  }
}
