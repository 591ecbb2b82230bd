/** When leases were cut, as the revoker tells: it shares the clock of this process. */
import { CREDENTIAL_EVENTS } from '../dist/libs/events/src/topics.js';
import { typeOf } from './sample-world.mjs';

export class CutWatch {
  /** By lease: epoch milliseconds. */
  #cutAtMs = new Map();
  #endsAtMs = new Map();
  #lastMs = performance.now();

  static async open(world) {
    const watch = new CutWatch();
    watch.consumer = await world.follow(CREDENTIAL_EVENTS, (record) => {
      const type = typeOf(record);
      if (type !== 'lease.access_cut' && type !== 'lease.issued') return;
      const { leaseId, cutAt, notAfter } = JSON.parse(String(record.value));
      watch.#lastMs = performance.now();
      if (type === 'lease.issued') watch.#endsAtMs.set(leaseId, Date.parse(notAfter));
      else watch.#cutAtMs.set(leaseId, Date.parse(cutAt));
    });
    return watch;
  }

  /** Resolves once all of these leases are told to be cut. @returns when each was, in their order */
  async cuts(leaseIds, withinMs) {
    while (!leaseIds.every((leaseId) => this.#cutAtMs.has(leaseId))) {
      if (performance.now() - this.#lastMs > withinMs) throw new Error('the revoker tells of no more cuts');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return leaseIds.map((leaseId) => this.#cutAtMs.get(leaseId));
  }

  /** When a lease is over, as the broker told; undefined while it has not. */
  endOf(leaseId) {
    return this.#endsAtMs.get(leaseId);
  }

  close() {
    return this.consumer.stop();
  }
}
