/**
 * A queue before a few connections: while one batch is at the target the next gathers. There is no timer: an idle pump
 * sends at once. Waiting here has no time limit of its own, so a storm of cuts is slow and not refused.
 */
interface Waiting<T, R> {
  item: T;
  resolve: (result: R) => void;
  reject: (error: unknown) => void;
}

export interface PumpLimits<T> {
  /** So many run at once, */
  flushes: number;
  /** with so many items each. */
  batch: number;
  /**
   * Beside a full one no other is begun for this long. It keeps the server busy: a second would take its time, and that of whoever else
   * asks something there. One that hangs holds nobody up for longer.
   */
  fullAloneMs?: number;
  /** Items of one kind cost less together: where more wait than a batch takes, it takes as few kinds as it can. */
  kindOf?: (item: T) => string;
}

export class Pump<T, R> {
  #waiting: Waiting<T, R>[] = [];
  readonly #flush: (items: T[]) => Promise<R[]>;
  readonly #limits: PumpLimits<T>;
  #running = 0;
  /** Full ones that were begun a moment ago. */
  #alone = 0;

  /** `flush` gives one result for each item, in their order. */
  constructor(limits: PumpLimits<T>, flush: (items: T[]) => Promise<R[]>) {
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
    while (this.#alone === 0 && this.#running < this.#limits.flushes && this.#waiting.length > 0) {
      this.#running++;
      void this.#run(this.#take());
    }
  }

  /** The one that waits longest is always among them. */
  #take(): Waiting<T, R>[] {
    const { batch, kindOf } = this.#limits;
    const [oldest] = this.#waiting;
    if (kindOf === undefined || oldest === undefined || this.#waiting.length <= batch)
      return this.#waiting.splice(0, batch);
    const first = kindOf(oldest.item);
    // In the order of kinds from its kind on, and then around.
    const place = ({ item }: Waiting<T, R>) => `${kindOf(item) < first ? 1 : 0}${kindOf(item)}`;
    const placed = this.#waiting.map((waiting) => ({ waiting, at: place(waiting) }));
    placed.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    const taken = new Set(placed.slice(0, batch).map(({ waiting }) => waiting));
    this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting));
    return [...taken];
  }

  /** @returns to be called once its time is over. */
  #keepAlone(batch: readonly unknown[]): () => void {
    const { batch: full, fullAloneMs = 0 } = this.#limits;
    if (fullAloneMs === 0 || batch.length < full) return () => undefined;
    this.#alone++;
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      this.#alone--;
    };
    const timer = setTimeout(() => {
      over();
      this.#start();
    }, fullAloneMs).unref();
    return over;
  }

  async #run(batch: Waiting<T, R>[]): Promise<void> {
    const over = this.#keepAlone(batch);
    try {
      const results = await this.#flush(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('flush gave another number of results');
      results.forEach((result, i) => batch[i]?.resolve(result));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running--;
      over();
      this.#start();
    }
  }
}
