/** How far a group has come, told to Kafka for the eyes of its tools. Nothing is read from it. */
import type { Consumer as Client } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import type { Position } from '../bus.js';

const EVERY_MS = 5_000;

export class ToldOffsets {
  readonly #client: Client;
  readonly #positions: () => readonly Position[];
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;
  #told = '';

  /** @param positions next offset of each partition that is read; none while that is not known. */
  constructor(client: Client, positions: () => readonly Position[], log: Log) {
    this.#client = client;
    this.#positions = positions;
    this.#log = log;
  }

  start(): void {
    this.#timer = setInterval(() => void this.tell(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async tell(): Promise<void> {
    const offsets = this.#positions().map(({ next, ...rest }) => ({ ...rest, offset: String(next) }));
    const told = JSON.stringify(offsets);
    if (offsets.length === 0 || told === this.#told) return;
    try {
      await this.#client.commitOffsets(offsets);
      this.#told = told;
    } catch (error) {
      this.#log.debug({ err: error }, 'offsets not committed');
    }
  }
}
