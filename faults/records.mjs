/** Everything that stands on the topics, by task, as an outsider reads it: from the first record, verified by nobody. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import { shortType } from '#events/inbound.js';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';

export const TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS];
const PUBLISHED_WITHIN_MS = 60_000;
const PAUSE_MS = 200;
export const placeOf = ({ topic, partition, offset }) => `${topic}/${partition}/${offset}`;

export class Records {
  #bus;
  #consumer;
  #byTask = new Map();
  /** Places of records that belong in the log: all but the revoker's heartbeats. */
  #places = new Set();
  #newPlaces = [];
  /** The last that was read, of each partition. */
  #last = new Map();
  #waiting = new Set();
  #keepsRaw = false;
  #closed = false;

  static async follow(brokers) {
    const records = new Records();
    records.#bus = await openKafka({ brokers: brokers.split(','), clientId: 'faults' });
    await records.#read();
    return records;
  }

  /** Tries for as long as the bus may be away. What was taken before its answer was lost is there twice then. */
  async publish(outgoing) {
    for (const untilMs = Date.now() + PUBLISHED_WITHIN_MS; ; await sleep(PAUSE_MS)) {
      try {
        return await this.#bus.publish(outgoing);
      } catch (error) {
        if (Date.now() > untilMs) throw error;
      }
    }
  }

  /** From now on, whether records can be published again as they are. */
  keepRaw(keeps) {
    this.#keepsRaw = keeps;
  }

  /** What is known of a task on a topic, once each, to be published again. */
  rawOf(taskId, topic) {
    const wanted = this.of(taskId).filter((record) => record.raw !== undefined && record.topic === topic);
    return [...new Map(wanted.map(({ ceId, raw }) => [ceId, raw])).values()];
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
    await this.until(
      () => ends.every((end) => end.next <= (this.#last.get(keyOf(end))?.offset ?? -1n) + 1n),
      10_000,
    );
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
    this.#closed = true;
    await this.#consumer?.stop();
    await this.#bus?.close();
  }

  /** Goes on behind what was read; begins anew when the bus was away for too long. */
  async #read() {
    this.#consumer = await this.#bus.subscribe({
      group: `faults-${randomUUID()}`,
      topics: TOPICS,
      positions: () =>
        Promise.resolve(
          [...this.#last.values()].map(({ offset, ...rest }) => ({ ...rest, next: offset + 1n })),
        ),
      onBatch: (batch) => Promise.resolve(this.#take(batch)),
      onCrash: () => void this.#readAgain(),
    });
    await this.#consumer.ready();
  }

  async #readAgain() {
    while (!this.#closed) {
      try {
        return await this.#read();
      } catch {
        await sleep(PAUSE_MS);
      }
    }
  }

  #take(batch) {
    for (const record of batch) {
      const { topic, partition, offset } = record;
      // Read twice where the second reading began before the first one's end.
      if (offset <= (this.#last.get(keyOf(record))?.offset ?? -1n)) continue;
      this.#last.set(keyOf(record), { topic, partition, offset });
      const key = record.key?.toString() ?? '';
      if (topic === REVOCATIONS && key === 'heartbeat') continue;
      this.#places.add(placeOf(record));
      this.#newPlaces.push(placeOf(record));
      const heard = this.#byTask.get(key) ?? [];
      this.#byTask.set(key, heard);
      heard.push({ ...readable(record), ...(this.#keepsRaw ? { raw: rawOf(record) } : {}) });
    }
    for (const ask of [...this.#waiting]) ask();
  }
}

function rawOf({ topic, key, value, headers }) {
  const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
  return { topic, key: key.toString(), value, headers: Object.fromEntries(texts) };
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
