/** What networks do: see `TRAPS` in proxy.mjs. */
import { setTimeout as sleep } from 'node:timers/promises';

const SPRUNG_WITHIN_MS = 2_000;
const STATEMENTS = {
  create: 'CREATE ROLE',
  renew: 'nothing is there to renew',
  fence: 'INSERT INTO mayfly.fence AS f',
  clean: 'DROP ROLE',
  commit: 'COMMIT',
};
/** How long who sent a request waits for an answer that never comes. */
const PATIENCE_MS = 5_000;
const AWAY_MS = 1_200;
const SLOW_MS = 60;
const CUTS = 3;
const CUT_EVERY_MS = 150;

/** A service that loses a request, or an answer, of its target or of its own database. */
export class LostWord {
  #proxy;
  #trap;
  #sprung;
  #atMs = null;

  constructor({ rig }, { kind, service, at = 'commit', how = 'answer_swallowed', nth }) {
    this.#proxy = rig.proxies.before(kind === 'target_network' ? 'target' : 'postgres', service);
    this.#trap = { text: STATEMENTS[at], how, nth };
  }

  async prepare() {}

  begin() {
    this.#sprung = this.#proxy.trap(this.#trap).then(() => (this.#atMs = Date.now()));
  }

  on() {}

  async over() {
    await Promise.race([this.#sprung, sleep(SPRUNG_WITHIN_MS, undefined, { ref: false })]);
    this.#proxy.disarm();
    const patienceMs = this.#trap.how === 'answer_swallowed' ? PATIENCE_MS : 0;
    return { happened: this.#atMs !== null, backAtMs: (this.#atMs ?? Date.now()) + patienceMs };
  }
}

/** The target lets nobody of ours in for a while, when credentials are made and when they are cut. */
export class TargetAway {
  #proxies;
  #away = [];

  constructor({ rig }, { kind }) {
    this.#proxies = rig.proxies.beforeAll(kind === 'cache_away' ? 'cache' : 'target');
  }

  async prepare() {}
  begin() {}

  on({ phase }) {
    if (phase !== 'last') this.#away.push(this.#refuse());
  }

  async over() {
    await Promise.all(this.#away);
    return { happened: true, backAtMs: Date.now() };
  }

  async #refuse() {
    await Promise.all(this.#proxies.map((proxy) => proxy.refuse(true)));
    await sleep(AWAY_MS);
    await Promise.all(this.#proxies.map((proxy) => proxy.refuse(false)));
  }
}

export class TargetSlow {
  #proxies;

  constructor({ rig }) {
    this.#proxies = rig.proxies.beforeAll('target');
  }

  async prepare() {
    for (const proxy of this.#proxies) proxy.delay(SLOW_MS);
  }

  begin() {}
  on() {}

  async over() {
    for (const proxy of this.#proxies) proxy.delay(0);
    return { happened: true, backAtMs: Date.now() };
  }
}

/** Everybody's connections to the bus end, again and again, with requests and answers on their way. */
export class BusNetwork {
  #proxy;
  #cuts = [];

  constructor({ rig }) {
    this.#proxy = rig.proxies.kafka;
  }

  async prepare() {}
  begin() {}

  on() {
    this.#cuts.push(this.#cut());
  }

  async over() {
    await Promise.all(this.#cuts);
    return { happened: true, backAtMs: Date.now() };
  }

  async #cut() {
    for (let n = 0; n < CUTS; n += 1) {
      await sleep(CUT_EVERY_MS);
      this.#proxy.cut();
    }
  }
}
