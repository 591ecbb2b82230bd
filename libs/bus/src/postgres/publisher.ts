/**
 * Appends records: one statement at a time, made of as many waiting calls as fit, in the order of the calls. A call is
 * appended whole or not at all.
 */
import type { Log } from '#telemetry/log.js';
import type { Database } from '#store/database.js';
import { BusError, type OutgoingRecord } from '../bus.js';
import { murmur2 } from '../murmur2.js';
import { publishError } from './postgres-error.js';

/** Calls are gathered up to these; a single larger one is sent alone. */
const GATHER_BYTES = 512 * 1024;
const GATHER_RECORDS = 1_000;

const APPEND = {
  name: 'bus-append',
  text: 'SELECT append($1::text[], $2::int[], $3::bytea[], $4::bytea[], $5::text[]::jsonb[])',
};

interface Call {
  records: readonly OutgoingRecord[];
  resolve: () => void;
  reject: (error: BusError) => void;
}

export class Publisher {
  readonly #db: Database;
  readonly #log: Log;
  #calls: Call[] = [];
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(db: Database, log: Log) {
    this.#db = db;
    this.#log = log;
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.#closed) return Promise.reject(new BusError('ERR_BUS_UNREACHABLE', 'the bus is closed'));
    return new Promise((resolve, reject) => {
      this.#calls.push({ records, resolve, reject });
      this.#sending ??= this.#pump();
    });
  }

  /** Waits for what is being sent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
  }

  async #pump(): Promise<void> {
    while (this.#calls.length > 0) {
      const gathered = this.#calls.splice(0, howMany(this.#calls));
      const error = await this.#append(gathered);
      // One caller's bad record must not refuse the others'.
      if (error?.code === 'ERR_RECORD_REFUSED' && gathered.length > 1)
        for (const call of gathered) answer([call], await this.#append([call]));
      else answer(gathered, error);
    }
    // In the same turn as the last look at the queue: a caller just answered may publish before a `finally` would run.
    this.#sending = undefined;
  }

  async #append(calls: readonly Call[]): Promise<BusError | undefined> {
    const records = calls.flatMap((call) => call.records);
    const keys = records.map(({ key }) => Buffer.from(key));
    try {
      await this.#db.pool.query({
        ...APPEND,
        values: [
          records.map(({ topic }) => topic),
          keys.map(murmur2),
          keys,
          records.map(({ value }) => value),
          records.map(({ headers }) => encodeHeaders(headers)),
        ],
      });
      return undefined;
    } catch (error) {
      const topics = [...new Set(records.map(({ topic }) => topic))];
      this.#log.warn({ err: error, topics }, 'records not acknowledged');
      return publishError(error, topics);
    }
  }
}

function answer(calls: readonly Call[], error: BusError | undefined): void {
  for (const call of calls) {
    if (error === undefined) call.resolve();
    else call.reject(error);
  }
}

/** How many of the oldest calls go into one statement; at least one. */
function howMany(calls: readonly Call[]): number {
  let sizeBytes = 0;
  let count = 0;
  for (const [index, { records }] of calls.entries()) {
    count += records.length;
    for (const { value } of records) sizeBytes += value?.length ?? 0;
    if (index > 0 && (count > GATHER_RECORDS || sizeBytes > GATHER_BYTES)) return index;
  }
  return calls.length;
}

/** In base64, because JSON has no bytes and PostgreSQL's no zero. */
export function encodeHeaders(headers: Readonly<Record<string, string | readonly string[]>>): string {
  return JSON.stringify(
    Object.entries(headers).flatMap(([name, given]) =>
      [given].flat().map((text) => [Buffer.from(name).toString(), Buffer.from(text).toString('base64')]),
    ),
  );
}
