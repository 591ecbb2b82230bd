/** A server that ends under load, killed or in order, and is started again. Its clients must find back by themselves. */
import { setTimeout as sleep } from 'node:timers/promises';

const POSTGRES = { crash: 'SIGKILL', fast: 'SIGINT' };
const SERVERS = {
  store_restart: 'postgres',
  target_restart: 'target',
  cache_restart: 'cache',
  bus_restart: 'kafka',
};
const SIGNALS = {
  postgres: POSTGRES,
  target: POSTGRES,
  cache: { crash: 'SIGKILL', fast: 'SIGTERM' },
  kafka: { crash: 'SIGKILL', ordered: 'SIGTERM' },
};
const READY_WITHIN_MS = 20_000;

export class Restart {
  #world;
  #server;
  #restart;
  #restarted;

  constructor(world, { kind, how, afterMs }) {
    this.#world = world;
    this.#server = SERVERS[kind];
    this.#restart = async () => {
      await sleep(afterMs);
      await world.rig.restart(this.#server, SIGNALS[this.#server][how]);
    };
  }

  async prepare() {
    await this.#world.rig.supervise(true);
  }

  begin() {}

  on({ phase }) {
    if (phase === 'first') this.#restarted = this.#restart();
  }

  async over() {
    const { rig, found, note } = this.#world;
    await this.#restarted;
    const untilMs = Date.now() + READY_WITHIN_MS;
    if (!(await rig.ready(READY_WITHIN_MS)))
      found.late.push(`not all services were ready ${READY_WITHIN_MS} ms after ${this.#server} was`);
    for (const service of await rig.supervise(false)) note(`the ${service} gave up and was started again`);
    return { happened: true, backAtMs: Math.min(Date.now(), untilMs) };
  }
}
