/** What records say, each read once: when its turn comes, or by other threads before that. */
import type { BusRecord } from '#bus/bus.js';
import { lettingOthersIn } from '#bus/letting-in.js';

/** A record and what it says. */
export interface Read<R> {
  record: BusRecord;
  said: R;
}

/** Decodes and verifies, before any lock is held. */
export type Reader<R> = ((record: BusRecord) => R) | { elsewhere: (record: BusRecord) => Promise<R> };

/** A record that was passed over here would be lost: its position moves with the others'. */
export function readOf<R>(read: ReadonlyMap<BusRecord, Read<R>>, record: BusRecord): Read<R> {
  const found = read.get(record);
  if (found === undefined) throw new Error('a record is to be handled that was not read');
  return found;
}

export class Readings<R> {
  readonly #done = new WeakMap<BusRecord, Read<R>>();
  readonly #underWay = new WeakMap<BusRecord, Promise<Read<R>>>();

  constructor(private readonly reader: Reader<R>) {}

  get areElsewhere(): boolean {
    return typeof this.reader !== 'function';
  }

  /** Other threads have it done by its turn; a failure is told then. Resolves when all are begun. */
  async begin(records: readonly BusRecord[]): Promise<void> {
    const { reader } = this;
    if (typeof reader === 'function') return;
    const letIn = lettingOthersIn();
    for (const record of records) {
      if (this.#done.has(record) || this.#underWay.has(record)) continue;
      const others = letIn();
      if (others !== undefined) await others;
      this.#begin(record, reader.elsewhere).catch(() => undefined);
    }
  }

  /** @throws what reading one of them throws. It is read anew the next time. */
  async of(records: readonly BusRecord[]): Promise<Map<BusRecord, Read<R>>> {
    await this.begin(records);
    const letIn = lettingOthersIn();
    const read = new Map<BusRecord, Read<R>>();
    for (const record of records) {
      const others = letIn();
      if (others !== undefined) await others;
      const done = this.#done.get(record) ?? (await this.#now(record));
      this.#done.set(record, done);
      read.set(record, done);
    }
    return read;
  }

  #now(record: BusRecord): Read<R> | Promise<Read<R>> {
    const { reader } = this;
    return typeof reader === 'function'
      ? { record, said: reader(record) }
      : this.#begin(record, reader.elsewhere);
  }

  #begin(record: BusRecord, elsewhere: (record: BusRecord) => Promise<R>): Promise<Read<R>> {
    const known = this.#underWay.get(record);
    if (known !== undefined) return known;
    const reading = elsewhere(record).then((said) => ({ record, said }));
    this.#underWay.set(record, reading);
    reading.catch(() => this.#underWay.delete(record));
    return reading;
  }
}
