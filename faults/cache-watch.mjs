/** The rig's Redis as its administrator sees it, again and again: which principals can still log in, or exist at all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { lookCommand, stateIn } from '#providers/redis/acl.js';

const EVERY_MS = 100;
const BACK_WITHIN_MS = 20_000;
const OURS = /^k[0-9a-z]{3}[0-9a-hjkmnp-tv-z]{26}$/;

export class CacheWatch {
  #cache;
  #client;
  #timer;
  #looking = Promise.resolve();
  #lastUsableAtMs = new Map();
  #closed = false;

  static async open(cache) {
    const watch = new CacheWatch();
    watch.#cache = cache;
    await watch.usable();
    watch.#again();
    return watch;
  }

  lastUsableAtMs(principal) {
    return this.#lastUsableAtMs.get(principal);
  }

  async usable() {
    return (await this.#states()).filter(({ state }) => state === 'live').map(({ name }) => name);
  }

  /** What is only a fence is none. */
  async existing() {
    return (await this.#states()).filter(({ state }) => state !== 'absent').map(({ name }) => name);
  }

  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    this.#client?.destroy();
  }

  #again() {
    this.#looking = this.usable().then(
      (names) => {
        const nowMs = Date.now();
        for (const name of names) this.#lastUsableAtMs.set(name, nowMs);
        if (!this.#closed) this.#timer = setTimeout(() => this.#again(), EVERY_MS);
      },
      (error) => {
        if (!this.#closed) throw error;
      },
    );
  }

  /** As they are, or once the server is back. */
  async #states() {
    for (const untilMs = Date.now() + BACK_WITHIN_MS; ; await sleep(EVERY_MS)) {
      try {
        this.#client ??= await this.#connected();
        const users = await this.#client.sendCommand(['ACL', 'USERS']);
        const names = users.filter((name) => OURS.test(name));
        const looks = await Promise.all(names.map((name) => this.#client.sendCommand(lookCommand(name))));
        return names.map((name, n) => ({ name, state: stateIn(looks[n]) }));
      } catch (error) {
        this.#client?.destroy();
        this.#client = undefined;
        if (this.#closed || Date.now() > untilMs) throw error;
      }
    }
  }

  async #connected() {
    const client = createClient({
      ...{ username: 'default', password: this.#cache.adminPassword, RESP: 2, disableOfflineQueue: true },
      socket: { host: '127.0.0.1', port: this.#cache.port, reconnectStrategy: false },
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }
}
