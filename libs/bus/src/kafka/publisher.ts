/**
 * Writes records: one request at a time, each as large as the waiting records allow, in the order of the calls.
 *
 * A producer that has failed is thrown away. kafkajs takes its sequence numbers back after a failed send, although the
 * records may be in the log; the next ones would carry the same numbers, and the broker would drop them as duplicates
 * and acknowledge them. A new producer has an id and sequence of its own: records may then be there twice, never not at all.
 */
import type { Kafka, Message, Producer, TopicMessages } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import { BusError, type OutgoingRecord } from '../bus.js';
import { publishError } from './kafka-error.js';
import { producerConfig } from './kafka-settings.js';

/** All of a partition's records in a request are one batch to Kafka, which refuses one above `max.message.bytes` (1 MB by default). */
const MAX_REQUEST_BYTES = 512 * 1024;
const MAX_REQUEST_RECORDS = 1_000;
/** Frame, attributes and lengths of a record, as an upper bound. */
const RECORD_OVERHEAD_BYTES = 40;
const HEADER_OVERHEAD_BYTES = 10;

interface Call {
  records: readonly OutgoingRecord[];
  /** How many of the records are acknowledged. */
  done: number;
  resolve: () => void;
  reject: (error: BusError) => void;
}
interface Part {
  call: Call;
  records: readonly OutgoingRecord[];
}

export class Publisher {
  readonly #kafka: Kafka;
  readonly #log: Log;
  #producer: Promise<Producer> | undefined;
  #calls: Call[] = [];
  #sending: Promise<void> | undefined;
  #closed = false;

  constructor(kafka: Kafka, log: Log) {
    this.#kafka = kafka;
    this.#log = log;
  }

  /** Connects, so that a wrong address or login shows at start. @throws BusError ERR_BUS_UNREACHABLE */
  async open(): Promise<void> {
    try {
      await this.#connected();
    } catch (error) {
      throw publishError(error, []);
    }
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.#closed) return Promise.reject(new BusError('ERR_BUS_UNREACHABLE', 'the bus is closed'));
    return new Promise((resolve, reject) => {
      this.#calls.push({ records, done: 0, resolve, reject });
      this.#sending ??= this.#pump();
    });
  }

  /** Waits for what is being sent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#sending;
    await this.#discard();
  }

  async #pump(): Promise<void> {
    while (this.#calls.length > 0) {
      const parts = nextRequest(this.#calls);
      const error = await this.#send(parts);
      if (error === undefined) this.#acknowledge(parts);
      else if (parts.length > 1 && error.code === 'ERR_RECORD_REFUSED') await this.#sendApart(parts);
      else parts.forEach(({ call }) => this.#refuse(call, error));
    }
    // In the same turn as the last look at the queue: a caller just answered may publish before a `finally` would run.
    this.#sending = undefined;
  }

  /** One caller's bad record must not refuse the others'. */
  async #sendApart(parts: readonly Part[]): Promise<void> {
    for (const part of parts) {
      const error = await this.#send([part]);
      if (error === undefined) this.#acknowledge([part]);
      else this.#refuse(part.call, error);
    }
  }

  async #send(parts: readonly Part[]): Promise<BusError | undefined> {
    const topicMessages = byTopic(parts.flatMap((part) => part.records));
    try {
      const producer = await this.#connected();
      await producer.sendBatch({ acks: -1, topicMessages });
      return undefined;
    } catch (error) {
      const topics = topicMessages.map(({ topic }) => topic);
      this.#log.warn({ err: error, topics }, 'records not acknowledged');
      await this.#discard();
      return publishError(error, topics);
    }
  }

  #acknowledge(parts: readonly Part[]): void {
    for (const { call, records } of parts) {
      call.done += records.length;
      if (call.done < call.records.length) continue;
      this.#calls = this.#calls.filter((waiting) => waiting !== call);
      call.resolve();
    }
  }

  #refuse(call: Call, error: BusError): void {
    this.#calls = this.#calls.filter((waiting) => waiting !== call);
    call.reject(error);
  }

  #connected(): Promise<Producer> {
    this.#producer ??= this.#connect();
    return this.#producer;
  }

  async #connect(): Promise<Producer> {
    const producer = this.#kafka.producer(producerConfig());
    try {
      await producer.connect();
      return producer;
    } catch (error) {
      this.#producer = undefined;
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  async #discard(): Promise<void> {
    const producer = await this.#producer?.catch(() => undefined);
    this.#producer = undefined;
    await producer?.disconnect().catch((error: unknown) => {
      this.#log.debug({ err: error }, 'producer not disconnected');
    });
  }
}

/** The oldest unsent records, as many as one request may hold. */
function nextRequest(calls: readonly Call[]): Part[] {
  const parts: Part[] = [];
  let count = 0;
  let sizeBytes = 0;
  for (const call of calls) {
    const records: OutgoingRecord[] = [];
    for (const record of call.records.slice(call.done)) {
      sizeBytes += recordBytes(record);
      if (count > 0 && (sizeBytes > MAX_REQUEST_BYTES || count >= MAX_REQUEST_RECORDS)) {
        return records.length > 0 ? [...parts, { call, records }] : parts;
      }
      records.push(record);
      count += 1;
    }
    parts.push({ call, records });
  }
  return parts;
}

function recordBytes({ key, value, headers }: OutgoingRecord): number {
  let sizeBytes = RECORD_OVERHEAD_BYTES + Buffer.byteLength(key) + (value?.length ?? 0);
  for (const [name, text] of Object.entries(headers)) {
    sizeBytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  return sizeBytes;
}

function byTopic(records: readonly OutgoingRecord[]): TopicMessages[] {
  const messages = new Map<string, Message[]>();
  for (const { topic, key, value, headers } of records) {
    const message = { key, value, headers };
    const known = messages.get(topic);
    if (known === undefined) messages.set(topic, [message]);
    else known.push(message);
  }
  return [...messages].map(([topic, list]) => ({ topic, messages: list }));
}
