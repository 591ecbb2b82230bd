/** Server-sent events (HTML Living Standard §9.2): one reader's connection, written no faster than it is read. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/** A reader who takes nothing for so long is gone. */
const TAKES_WITHIN_MS = 30_000;
/** Something is sent at least so often, or what stands in between closes a connection that looks idle. */
const BEAT_MS = 15_000;
/** After which a reader comes back. */
const RETRY_MS = 1_000;

const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
};

/** The reader is gone, or takes nothing. */
export class ReaderGone extends Error {
  override readonly name = 'ReaderGone';
}

export class EventStream {
  #sentMs = Date.now();

  constructor(
    private readonly response: ServerResponse,
    private readonly takesWithinMs = TAKES_WITHIN_MS,
  ) {}

  async begin(): Promise<void> {
    this.response.writeHead(200, HEADERS);
    await this.#write(`retry: ${RETRY_MS}\n\n`);
  }

  /** @param next the entry at which the reader goes on when it comes back. @throws ReaderGone */
  async send(event: string, next: bigint, data: object): Promise<void> {
    const id = next > 0n ? `id: ${next - 1n}\n` : '';
    // JSON text has no line ends of its own.
    await this.#write(`event: ${event}\n${id}data: ${JSON.stringify(data)}\n\n`);
  }

  /** @throws ReaderGone */
  async beat(): Promise<void> {
    if (Date.now() - this.#sentMs >= BEAT_MS) await this.#write(':\n\n');
  }

  get isGone(): boolean {
    return this.response.destroyed || this.response.writableEnded;
  }

  end(): void {
    if (!this.isGone) this.response.end();
  }

  async #write(text: string): Promise<void> {
    if (this.isGone) throw new ReaderGone('the reader is gone');
    this.#sentMs = Date.now();
    if (this.response.write(text)) return;
    const over = new AbortController();
    const { signal } = over;
    const timer = setTimeout(() => over.abort(), this.takesWithinMs);
    try {
      await Promise.race([
        once(this.response, 'drain', { signal }),
        once(this.response, 'close', { signal }),
      ]);
    } catch (cause) {
      this.response.destroy();
      throw new ReaderGone('the reader takes nothing', { cause });
    } finally {
      clearTimeout(timer);
      // The other one stops listening.
      over.abort();
    }
  }
}
