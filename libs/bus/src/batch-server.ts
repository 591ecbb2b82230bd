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
  process?: Subscription['process'];
  /**
   * Topics that may gather, in ms: see `Subscription.gatherMs`. Where some may and others may not, those that may are read by a
   * group of their own, `<group>.gathered`, so that they hold nobody up. `positions` is asked for each by itself.
   */
  gather?: Readonly<Record<string, number>>;
  /** Told once; the process must then end with a status that is not 0. */
  onCrash: Subscription['onCrash'];
}

type Callback = (error?: unknown) => void;

export class BatchServer extends Server implements CustomTransportStrategy {
  /** Failures go back to the bus, which delivers again; Nest need not log them. */
  override readonly propagatesEventHandlerErrors = true;
  readonly #parts: BatchServerParts;
  #consumers: Consumer[] = [];

  constructor(parts: BatchServerParts) {
    super();
    this.#parts = parts;
  }

  /** Subscribes to the topics of all handlers; where it had subscribed before, anew. Reading begins later: see {@link isReady}. */
  async listen(callback: Callback): Promise<void> {
    const { bus, positions, process, onCrash } = this.#parts;
    try {
      await this.close();
      for (const readers of this.#readers()) {
        const subscription = {
          ...readers,
          positions,
          ...(process === undefined ? {} : { process }),
          onCrash,
        };
        this.#consumers.push(
          await bus.subscribe({ ...subscription, onBatch: (records) => this.#handle(records) }),
        );
      }
      callback();
    } catch (error) {
      await this.close();
      callback(error);
    }
  }

  #readers(): Pick<Subscription, 'group' | 'topics' | 'gatherMs'>[] {
    const { group, gather = {} } = this.#parts;
    const topics = [...this.messageHandlers.keys()];
    const gathering = topics.filter((topic) => gather[topic] !== undefined);
    const gatherMs = Math.max(0, ...gathering.map((topic) => gather[topic] ?? 0));
    if (gathering.length === 0) return [{ group, topics }];
    if (gathering.length === topics.length) return [{ group, topics, gatherMs }];
    return [
      { group, topics: topics.filter((topic) => !gathering.includes(topic)) },
      { group: `${group}.gathered`, topics: gathering, gatherMs },
    ];
  }

  /** Waits for running handlers and leaves the group. */
  async close(): Promise<void> {
    await Promise.all(this.#consumers.splice(0).map((consumer) => consumer.stop()));
  }

  /** True while partitions are assigned and read. */
  isReady(): boolean {
    return this.#consumers.length > 0 && this.#consumers.every((consumer) => consumer.isReady());
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
