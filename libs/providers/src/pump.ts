/**
 * A queue before a few connections: while one batch is at the target the next gathers. There is no timer: an idle pump
 * sends at once. Waiting here has no time limit of its own, so a storm of cuts is slow and not refused.
 */
interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

export class Pump<T, R> {
  readonly #waiting: Waiting<T, R>[] = [];
  readonly #flush: (items: T[]) => Promise<R[]>;
  readonly #limits: { flushes: number; batch: number };
  #running = 0;

  /** `flush` gives one result for each item, in their order; at most `flushes` run at once, with at most `batch` items each. */
  constructor(limits: { flushes: number; batch: number }, flush: (items: T[]) => Promise<R[]>) {
    this.#limits = limits;
    this.#flush = flush;
  }

  /** Rejects with what `flush` rejects with. */
  push(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#start();
    });
  }

  #start(): void {
    while (this.#running < this.#limits.flushes && this.#waiting.length > 0) {
      this.#running++;
      void this.#run(this.#waiting.splice(0, this.#limits.batch));
    }
  }

  async #run(batch: Waiting<T, R>[]): Promise<void> {
    try {
      const results = await this.#flush(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('flush gave another number of results');
      results.forEach((result, i) => batch[i]?.resolve(result));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      this.#start();
    }
  }
}
