/** Everything that stands on the topics, by task, as an outsider reads it: from the first record, verified by nobody. */
import { randomUUID } from 'node:crypto';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';

export const TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS];
export const placeOf = ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`;

export class Records {
  #bus;
  #consumer;
  #byTask = new Map();
  /** Places of records that belong in the log: all but the revoker's heartbeats. */
  #places = new Set();
  #newPlaces = [];
  #last = new Map();
  #waiting = new Set();

  static async follow(brokers) {
    const records = new Records();
    records.#bus = await openKafka({ brokers: brokers.split(','), clientId: 'faults' });
    records.#consumer = await records.#bus.subscribe({
      group: `faults-${randomUUID()}`,
      topics: TOPICS,
      positions: () => Promise.resolve([]),
      onBatch: (batch) => Promise.resolve(records.#take(batch)),
      onCrash: (error) => {
        throw error;
      },
    });
    await records.#consumer.ready();
    return records;
  }

  publish(outgoing) {
    return this.#bus.publish(outgoing);
  }

  /** All records about a task, in the order read; a record that was sent twice is there twice. */
  of(taskId) {
    return this.#byTask.get(taskId) ?? [];
  }

  get places() {
    return this.#places;
  }

  /** Those that have come since this was asked last. */
  takeNewPlaces() {
    return this.#newPlaces.splice(0);
  }

  /** Until everything that is on the topics at this moment has been read. */
  async caughtUp() {
    const ends = await this.#bus.ends(TOPICS);
    await this.until(() => ends.every((end) => end.next <= (this.#last.get(keyOf(end)) ?? -1n) + 1n), 10_000);
  }

  /** Asks again after each batch. @returns whether it came true in time */
  until(isTrue, withinMs) {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (value) => {
        clearTimeout(timer);
        this.#waiting.delete(ask);
        resolve(value);
      };
      const ask = () => isTrue() && settle(true);
      const timer = setTimeout(() => settle(isTrue()), withinMs);
      this.#waiting.add(ask);
    });
  }

  async close() {
    await this.#consumer?.stop();
    await this.#bus?.close();
  }

  #take(batch) {
    for (const record of batch) {
      this.#last.set(keyOf(record), record.offset);
      const key = record.key?.toString() ?? '';
      if (record.topic === REVOCATIONS && key === 'heartbeat') continue;
      this.#places.add(placeOf(record));
      this.#newPlaces.push(placeOf(record));
      const heard = this.#byTask.get(key) ?? [];
      this.#byTask.set(key, heard);
      heard.push(readable(record));
    }
    for (const ask of [...this.#waiting]) ask();
  }
}

const keyOf = ({ topic, partition }) => `${topic}/${partition}`;

function readable({ topic, partition, offset, headers, value, appendedAtMs }) {
  const text = value?.toString() ?? '';
  const type = shortType(String(headers['ce_type'])) ?? '';
  return {
    topic,
    partition,
    offset,
    type,
    ceId: String(headers['ce_id']),
    text,
    data: type === 'credential.delivered' ? sealedHeader(text) : parsed(text),
    appendedAtMs,
  };
}

/** Of a compact JWE: it names lease and call. */
const sealedHeader = (jwe) => parsed(Buffer.from(jwe.split('.')[0] ?? '', 'base64url').toString());

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
