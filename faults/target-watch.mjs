/** The target as a superuser sees it, again and again: which principals can still log in, or are logged in. */
import pg from 'pg';

const EVERY_MS = 100;
const OURS = '^k[0-9a-z]{3}[0-9a-hjkmnp-tv-z]{26}$';

export class TargetWatch {
  #client;
  #timer;
  #looking = Promise.resolve();
  #lastUsableAtMs = new Map();
  #closed = false;

  static async open(url) {
    const watch = new TargetWatch();
    watch.#client = new pg.Client({ connectionString: url });
    await watch.#client.connect();
    watch.#again();
    return watch;
  }

  /** When a principal was last seen to be of use; undefined if never. Right to within the pause between two looks. */
  lastUsableAtMs(principal) {
    return this.#lastUsableAtMs.get(principal);
  }

  /** Principals of use at this moment. */
  async usable() {
    const { rows } = await this.#client.query(
      `SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname ~ $1
       UNION SELECT usename FROM pg_stat_activity WHERE usename ~ $1`,
      [OURS],
    );
    return rows.map(({ name }) => name);
  }

  /** Principals that exist, of use or not. */
  async existing() {
    const { rows } = await this.#client.query('SELECT rolname AS name FROM pg_roles WHERE rolname ~ $1', [
      OURS,
    ]);
    return rows.map(({ name }) => name);
  }

  async close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    await this.#client.end();
  }

  #again() {
    this.#looking = this.usable().then((names) => {
      const nowMs = Date.now();
      for (const name of names) this.#lastUsableAtMs.set(name, nowMs);
      if (!this.#closed) this.#timer = setTimeout(() => this.#again(), EVERY_MS);
    });
  }
}
