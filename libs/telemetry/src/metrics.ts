/**
 * Metrics of one process in Prometheus' format. Names start with `mayfly_` and carry their unit (`…_seconds`, `…_total`);
 * every series has the label `service`. A label's values MUST come from a closed set: never an id, a principal or a query.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds from 1 ms to 10 s: a call takes about 10 ms, a cut about 20 ms. */
export const LATENCY_SECONDS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

export interface MetricNames<L extends string> {
  /** Without the prefix `mayfly_`. */
  name: string;
  help: string;
  labels?: readonly L[];
}

export class Metrics {
  readonly #registry = new Registry();

  constructor(service: string) {
    this.#registry.setDefaultLabels({ service });
  }

  /** Adds what Node knows of itself: memory, CPU, garbage collection, event loop lag. */
  collectProcess(): this {
    collectDefaultMetrics({ register: this.#registry });
    return this;
  }

  /** A number that only grows. */
  counter<L extends string = never>(names: MetricNames<L>): Counter<L> {
    return new Counter<L>(this.#described(names));
  }

  /** Counts observations by size; `buckets` are upper bounds, by default {@link LATENCY_SECONDS}. */
  histogram<L extends string = never>(names: MetricNames<L> & { buckets?: readonly number[] }): Histogram<L> {
    return new Histogram<L>({ ...this.#described(names), buckets: [...(names.buckets ?? LATENCY_SECONDS)] });
  }

  /** A number that goes up and down. With `read` it is looked up at each scrape. */
  gauge<L extends string = never>(
    names: MetricNames<L> & { read?: () => number | Promise<number> },
  ): Gauge<L> {
    const { read } = names;
    if (read === undefined) return new Gauge<L>(this.#described(names));
    return new Gauge<L>({
      ...this.#described(names),
      async collect() {
        this.set(await read());
      },
    });
  }

  /** The page of `GET /metrics`. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #described<L extends string>({ name, help, labels = [] }: MetricNames<L>) {
    return { name: `mayfly_${name}`, help, labelNames: [...labels], registers: [this.#registry] };
  }
}

/** Metrics of a service, with those of its process. */
export const createMetrics = (service: string): Metrics => new Metrics(service).collectProcess();
