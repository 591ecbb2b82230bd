/**
 * Stands between a client and a server on loopback, passes on what they say, and does to it what networks do. A *request* is a
 * piece of what a client sends, as it arrives. PostgreSQL's driver writes a statement at once, so its text is found in one.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const HOST = '127.0.0.1';
const LISTEN_TRIES = 50;
const LISTEN_AGAIN_MS = 100;
/**
 * What a trap does to the request it waits for, or to its answer. `request_cut`: half of it arrives, then the connection ends.
 * `answer_cut`: it arrives, and the connection ends in place of the answer. `answer_swallowed`: it arrives, and nothing ever
 * comes back, though the connection stays.
 */
export const TRAPS = ['request_cut', 'answer_cut', 'answer_swallowed'];

export class Proxy {
  #server;
  #port;
  #upstream = null;
  #pairs = new Set();
  #trap = null;
  #refuses = false;
  #delayMs = 0;

  /** Listens on a free port; `to` says where to pass on. */
  static async open() {
    const proxy = new Proxy();
    proxy.#server = createServer((client) => proxy.#onClient(client));
    await proxy.#listen(0);
    proxy.#port = proxy.#server.address().port;
    return proxy;
  }

  /** @returns {number} */
  get port() {
    return this.#port;
  }

  to(port) {
    this.#upstream = port;
  }

  /**
   * Waits for the nth request from now on that holds this text. One trap at a time.
   * @param {{ text: string, nth: number, how: 'request_cut' | 'answer_cut' | 'answer_swallowed' }} trap
   * @returns {Promise<void>} resolves when it has sprung
   */
  trap({ text, nth, how }) {
    return new Promise((sprung) => (this.#trap = { bytes: Buffer.from(text), left: nth, how, sprung }));
  }

  disarm() {
    this.#trap = null;
  }

  /** Ends what is open, and lets nobody in until told otherwise: connections are refused, as where nobody listens. */
  async refuse(refuses) {
    if (refuses === this.#refuses) return;
    this.#refuses = refuses;
    if (!refuses) return await this.#listen(this.#port);
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  /** How long each piece takes, in each direction. */
  delay(ms) {
    this.#delayMs = ms;
  }

  /** Ends every connection where it is. */
  cut() {
    for (const pair of [...this.#pairs]) pair.cut();
  }

  async close() {
    await this.refuse(true);
  }

  /** Somebody else may have the port for a moment: each connection of anybody takes one. */
  async #listen(port) {
    for (let tries = 1; ; tries += 1) {
      this.#server.listen(port, HOST);
      try {
        return await once(this.#server, 'listening');
      } catch (error) {
        if (tries === LISTEN_TRIES) throw error;
        await sleep(LISTEN_AGAIN_MS);
      }
    }
  }

  #onClient(client) {
    client.on('error', () => {});
    if (this.#upstream === null) return void client.destroy();
    const pair = new Pair(client, connect(this.#upstream, HOST), () => this.#pairs.delete(pair));
    this.#pairs.add(pair);
    void this.#pass(client, pair.server, pair, (piece) => this.#onRequest(piece, pair));
    void this.#pass(pair.server, client, pair, (piece) => pair.onAnswer(piece));
  }

  async #pass(from, to, pair, through) {
    try {
      for await (const piece of from) {
        if (this.#delayMs > 0) await sleep(this.#delayMs);
        const kept = through(piece);
        if (kept.length > 0 && !to.write(kept)) await once(to, 'drain', { signal: pair.ended });
      }
      to.end();
    } catch {
      pair.cut();
    }
  }

  #onRequest(piece, pair) {
    const trap = this.#trap;
    if (trap === null || !piece.includes(trap.bytes)) return piece;
    trap.left -= 1;
    if (trap.left > 0) return piece;
    this.#trap = null;
    trap.sprung();
    if (trap.how !== 'request_cut') {
      pair.awaits(trap.how);
      return piece;
    }
    pair.server.write(piece.subarray(0, piece.length / 2), () => pair.cut());
    return NOTHING;
  }
}

const NOTHING = Buffer.alloc(0);

/** A client and its server. */
class Pair {
  #trapped = null;
  #over = new AbortController();
  #forget;

  constructor(client, server, forget) {
    this.client = client;
    this.server = server;
    this.#forget = forget;
    server.on('error', () => this.cut());
    client.on('close', () => this.cut());
    server.setNoDelay(true);
    client.setNoDelay(true);
  }

  get ended() {
    return this.#over.signal;
  }

  /** The next answer is lost, in this way. */
  awaits(how) {
    this.#trapped = how;
  }

  onAnswer(piece) {
    if (this.#trapped === null) return piece;
    if (this.#trapped === 'answer_cut') this.cut();
    return NOTHING;
  }

  cut() {
    this.#over.abort();
    this.#forget();
    this.client.destroy();
    this.server.destroy();
  }
}
