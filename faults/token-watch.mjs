/** Tokens as a service that takes them sees them: it takes those that the revoker has not told to be dead. */
import { join } from 'node:path';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import { loadPeerKeys } from '#identity/records.js';
import { RevocationFeed } from '#verifier/revocation-feed.js';

const SERVICES = ['broker', 'revoker', 'auditor'];

export class TokenWatch {
  #bus;
  #feed;

  /** @param {{ stateDir: string, addresses: { kafka: string } }} rig */
  static async open({ stateDir, addresses }) {
    const watch = new TokenWatch();
    const jwks = (service) => [service, { jwks: join(stateDir, 'keys', `${service}.jwks.json`) }];
    const peers = await loadPeerKeys(Object.fromEntries(SERVICES.map(jwks)));
    watch.#bus = await openKafka({ brokers: addresses.kafka.split(','), clientId: 'faults-tokens' });
    watch.#feed = await RevocationFeed.open({ log: watch.#bus, peers, group: 'faults-tokens' });
    return watch;
  }

  /**
   * Those whose token is still taken. Over by its own time, none is.
   * @param {readonly { leaseId: string, agent: string, lineage: object[], notAfterMs: number }[]} leases
   */
  taken(leases) {
    return leases.filter(
      ({ leaseId, agent, lineage, notAfterMs }) =>
        notAfterMs > Date.now() && !this.#feed.set.isDead({ leaseId, agent, kid: '', lineage }),
    );
  }

  async close() {
    await this.#feed?.close();
    await this.#bus?.close();
  }
}
