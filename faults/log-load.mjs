/** Records for the auditor at a steady rate, by nobody but us: signed ones, forged ones, and what nobody can read. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import { CREDENTIAL_EVENTS, DELIVERY, TASK_EVENTS } from '#events/topics.js';
import { RecordSigner } from '#identity/records.js';

/** Those that keep each record for as long as this runs. */
export const LOADED_TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY];
const EVERY_MS = 100;
const PATIENCE_MS = 60_000;

export class LogLoad {
  #bus;
  #signer;
  #count = 0;
  #running;
  #stopped = false;

  static async open({ addresses, stateDir }) {
    const load = new LogLoad();
    load.#bus = await openKafka({ brokers: addresses.kafka.split(','), clientId: 'faults-load' });
    load.#signer = await RecordSigner.fromFile(join(stateDir, 'keys', 'broker.jwk'), 'broker');
    return load;
  }

  start(perSecond) {
    this.#stopped = false;
    this.#running = this.#pour(Math.round((perSecond * EVERY_MS) / 1_000));
  }

  /** @returns {Promise<{ topic: string, partition: number, next: bigint }[]>} where the topics end */
  async stop() {
    this.#stopped = true;
    await this.#running;
    return await this.ends();
  }

  ends() {
    return this.#bus.ends(LOADED_TOPICS);
  }

  async close() {
    this.#stopped = true;
    await this.#running?.catch(() => {});
    await this.#bus.close();
  }

  async #pour(atOnce) {
    for (let dueMs = performance.now(); !this.#stopped; dueMs += EVERY_MS) {
      await this.#publish(Array.from({ length: atOnce }, () => this.#next()));
      await sleep(Math.max(0, dueMs + EVERY_MS - performance.now()));
    }
  }

  async #publish(records) {
    for (const untilMs = Date.now() + PATIENCE_MS; ;) {
      try {
        return await this.#bus.publish(records);
      } catch (error) {
        if (Date.now() > untilMs) throw error;
        await sleep(EVERY_MS);
      }
    }
  }

  #next() {
    this.#count += 1;
    const n = this.#count;
    const key = uuidv7();
    const topic = n % 10 === 0 ? DELIVERY : CREDENTIAL_EVENTS;
    const type = topic === DELIVERY ? 'lease.ended' : 'lease.issued';
    const head = {
      id: uuidv7(),
      source: '//mayfly/broker',
      type: `dev.mayfly.${type}.v1`,
      subject: key,
      time: new Date().toISOString(),
      contentType: 'application/json',
    };
    const said = { taskId: key, leaseId: uuidv7(), generation: 1, actor: '//mayfly/broker', at: head.time };
    const value = Buffer.from(JSON.stringify({ ...said, notAfter: head.time, callId: uuidv7() }));
    const headers = this.#signer.sign({ topic, key, head, value }, `faults.${n}`);
    if (n % 17 === 0) return { topic, key, value: Buffer.from('{'), headers };
    // Nobody's: an event of a task that no agent has signed.
    if (n % 23 === 0) return { topic: TASK_EVENTS, key, value, headers: { ce_id: 'x' } };
    return { topic, key, value, headers };
  }
}
