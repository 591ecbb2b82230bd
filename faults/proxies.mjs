/** What stands between the services and the servers: one proxy before Kafka, and one for each service before its database and its target. */
import { Proxy } from './proxy.mjs';

const PAIRS = {
  postgres: ['broker', 'revoker', 'auditor', 'signer'],
  target: ['broker', 'revoker'],
  cache: ['broker', 'revoker'],
};

export class Proxies {
  #kafka;
  #before = new Map();

  static async open() {
    const proxies = new Proxies();
    proxies.#kafka = await Proxy.open();
    for (const [server, services] of Object.entries(PAIRS))
      for (const service of services) proxies.#before.set(keyOf(server, service), await Proxy.open());
    return proxies;
  }

  /** For `Stack`. @returns the port at which a service, or everybody, finds this server */
  to(server, port, service) {
    const proxy = server === 'kafka' ? this.#kafka : this.#before.get(keyOf(server, service));
    proxy.to(port);
    return proxy.port;
  }

  /** Kafka tells everybody one address, so this one is everybody's. */
  get kafka() {
    return this.#kafka;
  }

  /** @returns {Proxy} */
  before(server, service) {
    return this.#before.get(keyOf(server, service));
  }

  /** @returns {Proxy[]} */
  beforeAll(server) {
    return server === 'kafka' ? [this.#kafka] : PAIRS[server].map((service) => this.before(server, service));
  }

  async close() {
    await Promise.all([this.#kafka, ...this.#before.values()].map((proxy) => proxy.close()));
  }
}

const keyOf = (server, service) => `${server} ${service}`;
