/** Looks each second whether there is a head to be signed, and repeats an unchanged one each hour. */
import type { NoteSigner } from '#merkle/note-key.js';
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import { LogError } from '../log/log-error.js';
import { signHead } from './sign-head.js';

const LOOK_EVERY_MS = 1_000;
const REPEAT_AFTER_MS = 3_600_000;
/** By then an entry may wait longer for its checkpoint than is promised. */
const UNSEEN_LONG_MS = 10_000;

export interface CheckpointerParts {
  db: Database;
  /** At least one, all named after the log's origin. */
  signers: readonly NoteSigner[];
  /** Told of each signed head. */
  onSigned: () => void;
  warn: (fields: object, message: string) => void;
  everyMs?: number;
}

export class Checkpointer {
  readonly #parts: CheckpointerParts;
  #looking: { stop: () => Promise<void> } | undefined;
  #seenAtMs: number | undefined;
  /** Why signing stands still: what is stored is not what was signed. */
  #refusal: LogError | undefined;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  start(): void {
    const { warn, everyMs = LOOK_EVERY_MS } = this.#parts;
    this.#looking = repeat(
      everyMs,
      () => this.#look(),
      (err) => warn({ err }, 'the head was not signed'),
    );
  }

  async stop(): Promise<void> {
    await this.#looking?.stop();
  }

  /** Why no head is signed now, for readiness. */
  reasons(): string[] {
    if (this.#refusal !== undefined) return [reasonOf(this.#refusal)];
    const isSeen = this.#seenAtMs !== undefined && performance.now() - this.#seenAtMs < UNSEEN_LONG_MS;
    return isSeen ? [] : ['the log cannot be read'];
  }

  /** What was refused once may be right at the next look: a row that was put back. */
  async #look(): Promise<void> {
    const { db, signers, onSigned } = this.#parts;
    try {
      if ((await signHead(db, signers, REPEAT_AFTER_MS)) !== undefined) onSigned();
      this.#refusal = undefined;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      this.#refuse(error);
    }
    this.#seenAtMs = performance.now();
  }

  /** Said once, not each second. */
  #refuse(error: LogError): void {
    if (this.#refusal?.code !== error.code) this.#parts.warn({ err: error }, 'the head is not signed');
    this.#refusal = error;
  }
}

function reasonOf({ code }: LogError): string {
  if (code === 'ERR_LOG_INCONSISTENT') return 'the log contradicts its last checkpoint';
  if (code === 'ERR_LOG_CHECKPOINT_FOREIGN') return 'the last checkpoint is of another log or key';
  return 'the stored log is not whole';
}
