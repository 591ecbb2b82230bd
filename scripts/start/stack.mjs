/**
 * Everything of one installation, up and running: Kafka or the bus in PostgreSQL, Mayfly's own PostgreSQL, the sample's target,
 * the three services and the signer.
 * `npm start` and the tests bring up the very same thing.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takePort, withPort } from '../servers/ports.mjs';
import { chooseBus } from './bus.mjs';
import { openKafka, openOwnDatabase, openTarget } from './infrastructure.mjs';
import { ensureKeys } from './keys.mjs';
import { DATABASE } from './own-database.mjs';
import { Parts } from './parts.mjs';
import { serviceEnvironment, SERVICES, startService } from './services.mjs';
import { TARGET_DATABASE } from './target-database.mjs';

const FIRST = ['revoker', 'auditor'];
const STOP_ORDER = [['sample'], SERVICES, ['kafka', 'postgres', 'target']];

export class Stack {
  #context;
  #ports = {};
  #statusLists;
  #children = new Map();
  /** Null where the bus is in PostgreSQL. */
  #brokers = null;
  #database;
  #target;

  /** @param {import('./stack.mjs').StackOptions} options */
  constructor(options) {
    const {
      stateDir,
      cacheDir = stateDir,
      durable = true,
      reaper = null,
      say = () => {},
      onDeath = () => {},
      through = (_, port) => port,
      besides = () => ({}),
    } = options;

    const parts = new Parts(stateDir, onDeath);
    const logFile = (part) => join(stateDir, 'logs', `${part}.log`);
    const servers = new Map();
    this.#context = { ...options, cacheDir, durable, reaper, say, parts, logFile, through, besides, servers };
  }

  get stateDir() {
    return this.#context.stateDir;
  }

  logFile(part) {
    return this.#context.logFile(part);
  }

  get urls() {
    return { database: this.#database.adminUrl, target: this.#target.superuserUrl };
  }

  get addresses() {
    const http = (service) => `http://127.0.0.1:${this.#ports[service]}`;
    const place = (url, database) => {
      const { hostname, port } = new URL(url);
      return { host: hostname, port: Number(port || 5432), database };
    };
    return {
      broker: http('broker'),
      revoker: http('revoker'),
      auditor: http('auditor'),
      signer: http('signer'),
      console: null,
      kafka: this.#brokers,
      postgres: place(this.urls.database, DATABASE),
      target: place(this.urls.target, TARGET_DATABASE),
      pid: process.pid,
    };
  }

  async open() {
    try {
      const { ports, root, stateDir } = this.#context;
      // Said before anything is started, not after a minute.
      for (const choice of Object.values(ports)) if (choice.explicit) await takePort(choice);
      const bus = await chooseBus(this.#context);
      [this.#brokers, this.#database, this.#target] = await together([
        bus === 'postgres' ? null : openKafka(this.#context, bus),
        openOwnDatabase(this.#context, bus),
        openTarget(this.#context),
        ensureKeys(root, stateDir),
      ]);
      // The broker puts the address of the revoker's status lists into tokens, and its port may not be the default. The signer's
      // login is let in by the auditor.
      await together(FIRST.map((service) => this.start(service)));
      await together(
        SERVICES.filter((service) => !FIRST.includes(service)).map((service) => this.start(service)),
      );
      this.#writeAddresses();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async start(service, more = {}, mayStandBy = false) {
    const { ports, root, reaper, say, parts, logFile } = this.#context;
    const known = this.#ports[service];
    const choice =
      known === undefined ? ports[service] : { ...ports[service], wanted: known, explicit: true };
    const { child, port } = await withPort(choice, async (port) => {
      const settings = {
        root,
        service,
        port,
        env: { ...this.#environmentOf(service), ...more },
        logFile: logFile(service),
        reaper,
        mayStandBy,
      };
      return { child: await startService({ ...settings, onSpawn: (spawned) => parts.add(spawned) }), port };
    });
    this.#ports[service] = port;
    if (service === 'revoker') this.#statusLists = `http://127.0.0.1:${port}/status`;
    this.#children.set(service, child);
    parts.watch(child);
    say(service, `http://127.0.0.1:${port}`);
  }

  async kill(service, signal = 'SIGKILL') {
    const child = this.#children.get(service);
    if (child === undefined) throw new TypeError(`no service \`${service}\` was started`);
    this.#context.parts.expectEnd(child);
    child.kill(signal);
    return await child.exited;
  }

  async double(service) {
    const former = this.#children.get(service);
    this.#context.parts.expectEnd(former);
    const { [service]: port, ...others } = this.#ports;
    this.#ports = others;
    try {
      await this.start(service, {}, true);
    } catch (error) {
      this.#ports = { ...others, [service]: port };
      throw error;
    }
    return former;
  }

  async restart(server, signal, ended = () => {}) {
    const { child, again } = this.#context.servers.get(server);
    this.#context.parts.expectEnd(child);
    child.kill(signal);
    await child.exited;
    await ended();
    await again();
  }

  async attach(child) {
    await this.#context.parts.add(child);
  }

  async stop() {
    await this.#context.parts.stop(STOP_ORDER);
    rmSync(join(this.stateDir, 'run', 'addresses.json'), { force: true });
  }

  #environmentOf(service) {
    const { env, stateDir, through, besides } = this.#context;
    const url = (role) => {
      const own = new URL(this.#database.urlOf(role));
      own.port = through('postgres', Number(own.port || 5432), service);
      return own.href;
    };
    const target = (role) => {
      const login = this.#target.loginOf(role);
      return {
        ...login,
        MAYFLY_TARGET_PORT: String(through('target', Number(login.MAYFLY_TARGET_PORT), service)),
      };
    };
    const own = {
      broker: () => ({
        MAYFLY_BROKER_DATABASE_URL: url('mayfly_broker'),
        MAYFLY_STATUS_LISTS: env.MAYFLY_STATUS_LISTS ?? this.#statusLists,
        ...target('mayfly_broker'),
      }),
      revoker: () => ({
        MAYFLY_REVOKER_DATABASE_URL: url('mayfly_revoker'),
        ...target('mayfly_revoker'),
      }),
      auditor: () => ({
        MAYFLY_AUDITOR_DATABASE_URL: url('mayfly_auditor'),
        MAYFLY_AUDITOR_OWNER_DATABASE_URL: url('mayfly_audit_owner'),
      }),
      signer: () => ({ MAYFLY_SIGNER_DATABASE_URL: url('mayfly_signer') }),
    };
    const bus = () =>
      this.#brokers === null
        ? { MAYFLY_BUS_DATABASE_URL: url(`mayfly_bus_${service}`) }
        : { KAFKA_BROKERS: this.#brokers };
    return serviceEnvironment(env, {
      MAYFLY_STATE_DIR: stateDir,
      ...(service === 'signer' ? {} : bus()),
      ...own[service](),
      ...besides(service),
    });
  }

  #writeAddresses() {
    const folder = join(this.stateDir, 'run');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'addresses.json');
    writeFileSync(`${file}.part`, `${JSON.stringify(this.addresses, null, 2)}\n`);
    renameSync(`${file}.part`, file);
  }
}

/** Waits for all, so that nothing still starts when the first failure is thrown. */
async function together(promises) {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return results.map((result) => result.value);
}
