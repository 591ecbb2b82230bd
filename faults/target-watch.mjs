/** The target as a superuser sees it, again and again: which principals can still log in, or are logged in. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const EVERY_MS = 100;
/** A server that was killed reads its log first. */
const BACK_WITHIN_MS = 20_000;
const OURS = '^k[0-9a-z]{3}[0-9a-hjkmnp-tv-z]{26}$';

export class TargetWatch {
  #url;
  #client;
  #timer;
  #looking = Promise.resolve();
  #lastUsableAtMs = new Map();
  #closed = false;

  static async open(url) {
    const watch = new TargetWatch();
    watch.#url = url;
    await watch.usable();
    watch.#again();
    return watch;
  }

  /** When a principal was last seen to be of use; undefined if never. Right to within the pause between two looks. */
  lastUsableAtMs(principal) {
    return this.#lastUsableAtMs.get(principal);
  }

  /** Principals of use at this moment. */
  usable() {
    return this.#names(`SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname ~ $1
       UNION SELECT usename FROM pg_stat_activity WHERE usename ~ $1`);
  }

  /** Principals that exist, of use or not. */
  existing() {
    return this.#names('SELECT rolname AS name FROM pg_roles WHERE rolname ~ $1');
  }

  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#client?.end();
  }

  /** What it says, or once it is back. */
  async #names(sql) {
    for (const untilMs = Date.now() + BACK_WITHIN_MS; ; await sleep(EVERY_MS)) {
      try {
        this.#client ??= await this.#connected();
        const { rows } = await this.#client.query(sql, [OURS]);
        return rows.map(({ name }) => name);
      } catch (error) {
        this.#client = undefined;
        if (this.#closed || Date.now() > untilMs) throw error;
      }
    }
  }

  async #connected() {
    const client = new pg.Client({ connectionString: this.#url });
    // Who asks next is told.
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  #again() {
    this.#looking = this.usable().then((names) => {
      const nowMs = Date.now();
      for (const name of names) this.#lastUsableAtMs.set(name, nowMs);
      if (!this.#closed) this.#timer = setTimeout(() => this.#again(), EVERY_MS);
    });
  }
}
