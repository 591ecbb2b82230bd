/** A process that dies at a point, by its own hand, and is started again; and one whose successor dies as well. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A point that is not passed so long after all work was done is given up: the process is killed where it is. */
const PASSED_WITHIN_MS = 2_000;

export class Death {
  #world;
  #death;
  #back;
  #backAtMs = null;
  #happened = true;
  /** Whether it lives and is to die; it must not be killed from here while it is being started. */
  #doomed = false;

  constructor(world, death) {
    this.#world = world;
    this.#death = death;
  }

  async prepare() {
    const { service, point, nth } = this.#death;
    const wanted = `${point}:${nth}`;
    const { rig } = this.#world;
    if (rig.armedWith(service) !== wanted) await rig.start(service, wanted);
  }

  begin() {
    this.#back = this.#live();
    this.#back.catch(() => {});
  }

  on() {}

  async over() {
    for (;;) {
      await Promise.race([this.#back, sleep(PASSED_WITHIN_MS, undefined, { ref: false })]);
      if (this.#backAtMs !== null) break;
      if (!this.#doomed) continue;
      this.#happened = false;
      await this.#world.rig.kill(this.#death.service);
    }
    return { happened: this.#happened, backAtMs: this.#backAtMs };
  }

  async #live() {
    const { rig, next } = this.#world;
    const { service, again } = this.#death;
    await this.#dies(() => rig.go(service));
    if (again !== undefined && (await rig.startToDie(service, again)))
      await this.#dies(() => rig.ended(service));
    const later = next(service);
    await rig.start(service, later === null ? null : `${later.point}:${later.nth}`);
    this.#backAtMs = Date.now();
  }

  async #dies(end) {
    this.#doomed = true;
    const { code, signal } = await end();
    this.#doomed = false;
    if (signal !== 'SIGKILL')
      this.#world.found.lost.push(`the ${this.#death.service} ended with status ${code}`);
  }
}
