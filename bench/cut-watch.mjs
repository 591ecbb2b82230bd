/** When leases were cut, and whether what they left is gone, as the revoker tells: it shares the clock of this process. */
import { CREDENTIAL_EVENTS } from '../dist/libs/events/src/topics.js';
import { typeOf } from './sample-world.mjs';

export class CutWatch {
  /** By lease: epoch milliseconds. */
  #cutAtMs = new Map();
  #endsAtMs = new Map();
  #removed = new Set();
  #lastMs = performance.now();

  #told = {
    'lease.issued': ({ leaseId, notAfter }) => this.#endsAtMs.set(leaseId, Date.parse(notAfter)),
    'lease.access_cut': ({ leaseId, cutAt }) => this.#cutAtMs.set(leaseId, Date.parse(cutAt)),
    'lease.removed': ({ leaseId }) => this.#removed.add(leaseId),
  };

  static async open(world) {
    const watch = new CutWatch();
    watch.consumer = await world.follow(CREDENTIAL_EVENTS, (record) => {
      const type = typeOf(record);
      if (!(type in watch.#told)) return;
      watch.#lastMs = performance.now();
      watch.#told[type](JSON.parse(String(record.value)));
    });
    return watch;
  }

  /** Resolves once all of these leases are told to be cut. @returns when each was, in their order */
  async cuts(leaseIds, withinMs) {
    await this.#until(() => leaseIds.every((leaseId) => this.#cutAtMs.has(leaseId)), withinMs);
    return leaseIds.map((leaseId) => this.#cutAtMs.get(leaseId));
  }

  /** Resolves once nothing is left of these leases. */
  removed(leaseIds, withinMs) {
    return this.#until(() => leaseIds.every((leaseId) => this.#removed.has(leaseId)), withinMs);
  }

  async #until(isSo, withinMs) {
    while (!isSo()) {
      if (performance.now() - this.#lastMs > withinMs)
        throw new Error('the revoker tells no more of these leases');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** When a lease is over, as the broker told; undefined while it has not. */
  endOf(leaseId) {
    return this.#endsAtMs.get(leaseId);
  }

  close() {
    return this.consumer.stop();
  }
}
