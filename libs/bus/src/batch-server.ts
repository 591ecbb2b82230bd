/**
 * Nest's door to the bus: a transport strategy whose handlers take a whole batch.
 *
 *   `@UseFilters(new KeepCause()) @Controller()` and, on a method, `@EventPattern(TOPIC)` with one parameter
 *   `records: readonly BusRecord[]`. What the method returns or throws is the answer to the bus: see `Subscription.onBatch`.
 *
 * Without {@link KeepCause} Nest replaces an error by `Internal server error`, and nobody learns why a batch failed.
 */
import { Catch, type RpcExceptionFilter } from '@nestjs/common';
import { Server, type CustomTransportStrategy } from '@nestjs/microservices';
import { lastValueFrom, throwError, type Observable } from 'rxjs';
import type { Bus, BusRecord, Consumer, Subscription } from './bus.js';

export interface BatchServerParts {
  bus: Bus;
  group: string;
  positions: Subscription['positions'];
  /** Told once; the process must then end with a status that is not 0. */
  onCrash: Subscription['onCrash'];
}

type Callback = (error?: unknown) => void;

export class BatchServer extends Server implements CustomTransportStrategy {
  /** Failures go back to the bus, which delivers again; Nest need not log them. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #parts: BatchServerParts;
  #consumer: Consumer | undefined;

  constructor(parts: BatchServerParts) {
    super();
    this.#parts = parts;
  }

  /** Subscribes to the topics of all handlers. Reading begins later: see {@link isReady}. */
  async listen(callback: Callback): Promise<void> {
    const { bus, group, positions, onCrash } = this.#parts;
    try {
      this.#consumer = await bus.subscribe({
        group,
        topics: [...this.messageHandlers.keys()],
        positions,
        onCrash,
        onBatch: (records) => this.#handle(records),
      });
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** Waits for running handlers and leaves the group. */
  async close(): Promise<void> {
    await this.#consumer?.stop();
  }

  /** True while partitions are assigned and read. */
  isReady(): boolean {
    return this.#consumer?.isReady() ?? false;
  }

  /** This transport has no events to listen to. */
  on(): void {}

  unwrap<T>(): T {
    return this.#parts.bus as T;
  }

  async #handle(records: readonly BusRecord[]): Promise<void> {
    const topic = records[0]?.topic ?? '';
    const handler = this.messageHandlers.get(topic);
    if (handler === undefined) throw new Error(`no handler for \`${topic}\``);
    // The call itself does not reject: what failed is in the observable it returns.
    const result: Observable<unknown> = this.transformToObservable(await handler(records));
    await lastValueFrom(result, { defaultValue: undefined });
  }
}

/** Lets an error of a batch handler through as it is. MUST NOT be used for HTTP routes. */
@Catch()
export class KeepCause implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}
