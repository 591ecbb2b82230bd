/** An installation of its own whose services die where they are told to, and are started again. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { postgresUser, temporaryFolder } from '../scripts/servers/postgres-user.mjs';
import { anyPorts } from '../scripts/start/settings.mjs';
import { Stack } from '../scripts/start/stack.mjs';
import { defaultStateDir } from '../scripts/start/state-dir.mjs';
import { openGroups } from './dead-members.mjs';

const root = join(import.meta.dirname, '..');
/** A service counts its passages from this signal on. */
const GO = 'SIGUSR2';

/** The tests' shared servers are not this installation's, and a debugger's port is nobody's but the debugger's. */
const FOREIGN = ['KAFKA_BROKERS', 'DATABASE_URL', 'TARGET_URL', 'NODE_OPTIONS'];

export class Rig {
  #stack;
  #groups;
  #stateDir;
  /** Points that a service was started with and that have not killed it. */
  #armed = new Map();
  #down = new Set();
  #unasked = [];

  static async open() {
    const rig = new Rig();
    rig.#stateDir = await temporaryFolder('mayfly-faults-', await postgresUser());
    const env = { ...process.env, MAYFLY_BUS: 'kafka' };
    for (const name of FOREIGN) delete env[name];
    rig.#stack = new Stack({
      root,
      stateDir: rig.#stateDir,
      cacheDir: await defaultStateDir(root),
      env,
      ports: anyPorts(),
      durable: false,
      reaper: { remove: [rig.#stateDir] },
      onDeath: ({ name }) => rig.#unasked.push(name),
    });
    try {
      await rig.#stack.open();
      rig.#groups = openGroups(rig.addresses.kafka);
      await rig.#groups.connect();
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  get stateDir() {
    return this.#stateDir;
  }

  get addresses() {
    return this.#stack.addresses;
  }

  get urls() {
    return this.#stack.urls;
  }

  logFile(service) {
    return this.#stack.logFile(service);
  }

  /** Parts that have ended though nobody asked them to. */
  get unasked() {
    return this.#unasked;
  }

  /** What a service will die of, once `go` has been said; null when nothing. */
  armedWith(service) {
    return this.#armed.get(service) ?? null;
  }

  /** Starts a service, or ends it in order and starts it again. It lives until `go`, whatever it is armed with. */
  async start(service, points) {
    if (!this.#down.has(service)) await this.#stack.kill(service, 'SIGTERM');
    await this.#groups.empty(service);
    this.#down.delete(service);
    this.#armed.delete(service);
    await this.#stack.start(
      service,
      points === null ? {} : { MAYFLY_FAULT_POINTS: points, MAYFLY_FAULT_POINTS_AFTER: GO },
    );
    if (points !== null) this.#armed.set(service, points);
  }

  /** From now on an armed service counts its passages. @returns resolves once it has ended, with how */
  async go(service) {
    const end = await this.#stack.kill(service, GO);
    this.#down.add(service);
    return end;
  }

  async kill(service) {
    await this.#stack.kill(service, 'SIGKILL');
    this.#down.add(service);
  }

  async close() {
    await this.#groups?.close().catch(() => {});
    await this.#stack.stop();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }
}
