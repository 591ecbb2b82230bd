/** Everything is on the topics twice: what agents and orchestrators said, and what the services said, under new offsets. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CREDENTIAL_EVENTS } from '#events/topics.js';

const AFTER_MS = 40;

export class Redelivery {
  #world;
  #told = [];

  constructor(world) {
    this.#world = world;
  }

  async prepare() {
    this.#world.records.keepRaw(true);
  }

  begin() {}

  on({ said }) {
    this.#told.push(this.#again(said));
  }

  async over() {
    const { records } = this.#world;
    await Promise.all(this.#told);
    await this.#again([]);
    records.keepRaw(false);
    await records.caughtUp();
    return { happened: true, backAtMs: Date.now() };
  }

  async #again(said) {
    const { records, tasks } = this.#world;
    await sleep(AFTER_MS);
    await records.publish([
      ...said,
      ...tasks.flatMap(({ taskId }) => records.rawOf(taskId, CREDENTIAL_EVENTS)),
    ]);
  }
}
