/** Two instances of a service share its work, and one of them is lost: killed, or standing still for longer than Kafka waits. */
import { setTimeout as sleep } from 'node:timers/promises';

/** In which part of a round there is most to do for whom. */
const BUSY = { broker: 'first', revoker: 'second', auditor: 'first' };
const MOVED_WITHIN_MS = 10_000;
/** What is written until then must be in the log in time; what comes later is too late to say anything. */
const LOG_WAITS_MS = 1_000;
/** Longer than the session time-out of a member, 6 s, and its rejoin. */
const FROZEN_MS = 8_000;
/** For what it does when it believes that no time has passed. */
const ZOMBIE_MS = 1_500;
const STOPPED_WITHIN_MS = 12_000;
/** A time-out that is over by itself holds up no end of the process. */
const UNHELD = { ref: false };

/** The one that lives must have taken up the work of the one that died within ten seconds. Nobody is started again. */
export class Takeover {
  #world;
  #service;
  #afterMs;
  #withinMs;
  #former;
  #struck;

  constructor(world, { service, afterMs, withinMs = MOVED_WITHIN_MS }) {
    this.#world = world;
    this.#service = service;
    this.#afterMs = afterMs;
    this.#withinMs = withinMs;
  }

  async prepare() {
    this.#former = await this.#world.rig.double(this.#service);
  }

  begin() {}

  on({ phase, done }) {
    if (phase === BUSY[this.#service]) this.#struck = this.#strike(done);
  }

  async over() {
    return { happened: true, backAtMs: await this.#struck };
  }

  async #strike(done) {
    const { found } = this.#world;
    await sleep(this.#afterMs);
    if (this.#former.end() !== null) found.lost.push(`the ${this.#service} ended beside another`);
    this.#former.kill('SIGKILL');
    const untilMs = Date.now() + this.#withinMs;
    if (!(await this.#moved(done, untilMs)))
      found.late.push(`the work of the killed ${this.#service} had not moved after ${this.#withinMs} ms`);
    return untilMs;
  }

  async #moved(done, untilMs) {
    if (this.#service !== 'auditor')
      return await Promise.race([done, sleep(untilMs - Date.now(), false, UNHELD)]);
    await sleep(LOG_WAITS_MS);
    return await this.#world.logged(untilMs);
  }
}

/** It comes back with old claims, old positions and a half-done batch, to find that others have gone on without it. */
export class Freeze {
  #world;
  #service;
  #afterMs;
  #former;
  #thawed;

  constructor(world, { service, afterMs }) {
    this.#world = world;
    this.#service = service;
    this.#afterMs = afterMs;
  }

  async prepare() {
    this.#former = await this.#world.rig.double(this.#service);
  }

  begin() {}

  on({ phase }) {
    if (phase === BUSY[this.#service]) this.#thawed = this.#freeze();
  }

  async over() {
    const { found, note } = this.#world;
    const backAtMs = await this.#thawed;
    await sleep(ZOMBIE_MS);
    this.#former.kill('SIGTERM');
    const end = await Promise.race([this.#former.exited, sleep(STOPPED_WITHIN_MS, null, UNHELD)]);
    if (end === null) {
      found.late.push(`the ${this.#service} that came back had not stopped after ${STOPPED_WITHIN_MS} ms`);
      await this.#former.stop(0);
    } else if (end.code === 1) note(`the ${this.#service} that came back gave up`);
    else if (end.code !== 0)
      found.lost.push(`the ${this.#service} that came back ended with ${JSON.stringify(end)}`);
    return { happened: true, backAtMs };
  }

  async #freeze() {
    await sleep(this.#afterMs);
    this.#former.kill('SIGSTOP');
    await sleep(FROZEN_MS);
    this.#former.kill('SIGCONT');
    return Date.now();
  }
}
