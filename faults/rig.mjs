/** An installation of its own whose parts die, stand still and lose each other where they are told to. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { eventually } from '../scripts/servers/ports.mjs';
import { postgresUser, temporaryFolder } from '../scripts/servers/postgres-user.mjs';
import { anyPorts } from '../scripts/start/settings.mjs';
import { Stack } from '../scripts/start/stack.mjs';
import { defaultStateDir } from '../scripts/start/state-dir.mjs';
import { Cache, configureCache } from './cache.mjs';
import { forgetGroups } from './groups.mjs';
import { Proxies } from './proxies.mjs';

const root = join(import.meta.dirname, '..');
/** A service counts its passages from this signal on. */
const GO = 'SIGUSR2';
/** Says nothing to a process that runs. */
const NOTHING = 'SIGCONT';
const UP_AGAIN_WITHIN_MS = 30_000;

/** The tests' shared servers are not this installation's, and a debugger's port is nobody's but the debugger's. */
const FOREIGN = ['KAFKA_BROKERS', 'DATABASE_URL', 'TARGET_URL', 'NODE_OPTIONS'];

export class Rig {
  #stack;
  #stateDir;
  #proxies;
  /** Null where there is none. */
  #cache = null;
  /** Points that a service was started with and that have not killed it. */
  #armed = new Map();
  #down = new Set();
  #unasked = [];
  /** Whether a service that gives up (status 1) is started again, as a supervisor would, and what is under way of it. */
  #supervises = false;
  #rising = new Set();
  #gaveUp = [];

  /** @param {{ hasCache?: boolean }} options with a Redis as one more target, or without */
  static async open({ hasCache = false } = {}) {
    const rig = new Rig();
    rig.#stateDir = await temporaryFolder('mayfly-faults-', await postgresUser());
    rig.#proxies = await Proxies.open();
    const env = { ...process.env, MAYFLY_BUS: 'kafka' };
    for (const name of FOREIGN) delete env[name];
    if (hasCache) {
      rig.#cache = await Cache.open(rig.#stateDir);
      env.MAYFLY_CONFIG = await configureCache(
        join(root, 'deploy', 'sample'),
        join(rig.#stateDir, 'configuration'),
      );
    }
    rig.#stack = new Stack({
      root,
      stateDir: rig.#stateDir,
      cacheDir: await defaultStateDir(root),
      env,
      ports: anyPorts(),
      durable: false,
      reaper: { remove: [rig.#stateDir] },
      onDeath: (child) => rig.#onDeath(child),
      through: (server, port, service) => rig.#proxies.to(server, port, service),
      besides: (service) => rig.#environmentOfCache(service),
    });
    try {
      await rig.#stack.open();
    } catch (error) {
      await rig.close();
      throw error;
    }
    return rig;
  }

  get stateDir() {
    return this.#stateDir;
  }

  /** The Redis beside the sample's targets; null where there is none. */
  get cache() {
    return this.#cache;
  }

  get addresses() {
    return this.#stack.addresses;
  }

  get urls() {
    return this.#stack.urls;
  }

  /** What stands between a service and a server. */
  get proxies() {
    return this.#proxies;
  }

  logFile(service) {
    return this.#stack.logFile(service);
  }

  /** Parts that have ended though nobody asked them to, since this was asked last. */
  takeUnasked() {
    return this.#unasked.splice(0);
  }

  /** What a service will die of, once `go` has been said; null when nothing. */
  armedWith(service) {
    return this.#armed.get(service) ?? null;
  }

  /** Starts a service, or ends it in order and starts it again. It lives until `go`, whatever it is armed with. */
  async start(service, points) {
    if (!this.#down.has(service)) await this.#stack.kill(service, 'SIGTERM');
    await this.#rise(service, points === null ? {} : armedBy(points, { MAYFLY_FAULT_POINTS_AFTER: GO }));
    if (points !== null) this.#armed.set(service, points);
  }

  /** Starts a service that is down, to die at a point from its first step on. @returns false when it did before it was ready */
  async startToDie(service, points) {
    try {
      await this.#rise(service, armedBy(points));
      return true;
    } catch (error) {
      if (!String(error.message).includes('SIGKILL')) throw error;
      this.#down.add(service);
      return false;
    }
  }

  /** From now on an armed service counts its passages. @returns resolves once it has ended, with how */
  go(service) {
    return this.#end(service, GO);
  }

  /** @returns resolves once it has ended of whatever it was started with */
  ended(service) {
    return this.#end(service, NOTHING);
  }

  async kill(service) {
    await this.#end(service, 'SIGKILL');
  }

  /** One more instance. @returns the one before, which still runs */
  async double(service) {
    this.#armed.delete(service);
    return await this.#stack.double(service);
  }

  /** Ends a server and starts it again. Services that give it up meanwhile are started again. */
  async restart(server, signal) {
    if (server === 'cache') return await this.#restartCache(signal);
    const backends = server === 'kafka' ? [] : await this.#backends(server);
    const proxies = this.#proxies.beforeAll(server);
    await this.#stack.restart(server, signal, async () => {
      // Where nobody listens nobody is let in: a proxy without its server must not say otherwise.
      await Promise.all(proxies.map((proxy) => proxy.refuse(true)));
      await allGone(backends);
    });
    await Promise.all(proxies.map((proxy) => proxy.refuse(false)));
  }

  /** Lets Kafka forget how far a service has come. It must be down. */
  async forgetPositions(service) {
    await forgetGroups(this.addresses.kafka, service);
  }

  /** @returns whether all services say that they are ready, in time */
  ready(withinMs) {
    const { broker, revoker, auditor, signer } = this.addresses;
    const isReady = (address) =>
      fetch(`${address}/health/ready`, { signal: AbortSignal.timeout(2_000) }).then(
        ({ status }) => status === 200,
        () => false,
      );
    const all = async () =>
      (await Promise.all([broker, revoker, auditor, signer].map(isReady))).every(Boolean);
    return eventually(all, { everyMs: 50, withinMs });
  }

  /** From now on, or no more. @returns those that gave up meanwhile, once they are up again */
  async supervise(supervises) {
    this.#supervises = supervises;
    while (this.#rising.size > 0) await Promise.all(this.#rising);
    return this.#gaveUp.splice(0);
  }

  async close() {
    await this.#stack.stop();
    await this.#cache?.close();
    await this.#proxies.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  async #restartCache(signal) {
    const proxies = this.#proxies.beforeAll('cache');
    await Promise.all(proxies.map((proxy) => proxy.refuse(true)));
    await this.#cache.restart(signal);
    await Promise.all(proxies.map((proxy) => proxy.refuse(false)));
  }

  #environmentOfCache(service) {
    if (this.#cache === null || ['auditor', 'signer'].includes(service)) return {};
    return this.#cache.environmentOf(service, this.#proxies.to('cache', this.#cache.port, service));
  }

  async #end(service, signal) {
    const end = await this.#stack.kill(service, signal);
    this.#down.add(service);
    return end;
  }

  async #rise(service, more) {
    this.#down.delete(service);
    this.#armed.delete(service);
    await this.#stack.start(service, more);
  }

  #onDeath({ name, end }) {
    const { code } = end();
    if (!this.#supervises || code !== 1) return void this.#unasked.push(`${name} (${JSON.stringify(end())})`);
    this.#gaveUp.push(name);
    this.#armed.delete(name);
    const rising = this.#riseAgain(name).finally(() => this.#rising.delete(rising));
    this.#rising.add(rising);
  }

  async #riseAgain(service) {
    const untilMs = Date.now() + UP_AGAIN_WITHIN_MS;
    for (;;) {
      try {
        return await this.#stack.start(service);
      } catch (error) {
        if (Date.now() > untilMs) return void this.#unasked.push(`${service}: ${error.message}`);
        await sleep(200);
      }
    }
  }

  /** Processes of a PostgreSQL server. Those of a killed one must be gone before its data is opened again. */
  async #backends(server) {
    const url = server === 'target' ? this.urls.target : this.urls.database;
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    const { rows } = await client.query('SELECT pid FROM pg_stat_activity');
    await client.end();
    return rows.map(({ pid }) => pid);
  }
}

const armedBy = (points, more = {}) => ({ MAYFLY_FAULT_POINTS: points, ...more });

const allGone = (pids) => eventually(() => !pids.some(isThere), { everyMs: 10, withinMs: 10_000 });

function isThere(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}
