/** What an entry of ours says, as it is read out of its leaf. Whatever has another shape was not said. */

/** One entry that may change a projection. */
export interface ToldEntry {
  seq: number;
  /** What its leaf says. */
  envelope: Readonly<Record<string, unknown>>;
  /** The log has the same event at a lower number already: its producer sent it twice. */
  repeated: boolean;
}

export class Told {
  readonly seq: number;
  readonly repeated: boolean;
  /** Of the event. */
  readonly id: string | undefined;
  readonly #event: Readonly<Record<string, unknown>>;

  constructor({ seq, envelope, repeated }: ToldEntry) {
    this.seq = seq;
    this.repeated = repeated;
    this.id = typeof envelope.id === 'string' ? envelope.id : undefined;
    this.#event = asObject(envelope.event);
  }

  text(member: string): string | undefined {
    const value = this.#event[member];
    return typeof value === 'string' ? value : undefined;
  }

  /** A whole number below 2^53. */
  whole(member: string): number | undefined {
    const value = this.#event[member];
    return Number.isSafeInteger(value) ? (value as number) : undefined;
  }

  flag(member: string): boolean | undefined {
    const value = this.#event[member];
    return typeof value === 'boolean' ? value : undefined;
  }

  list(member: string): readonly unknown[] | undefined {
    const value = this.#event[member];
    return Array.isArray(value) ? value : undefined;
  }

  /** A time of RFC 3339, in epoch milliseconds. */
  atMs(member: string): number | undefined {
    const text = this.text(member);
    if (text === undefined || !INSTANT.test(text)) return undefined;
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? undefined : ms;
  }

  /** A text in an object. */
  within(member: string, inner: string): string | undefined {
    const value = asObject(this.#event[member])[inner];
    return typeof value === 'string' ? value : undefined;
  }
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

const asObject = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
