import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { startChild } from './child.mjs';
import { eventually } from './ports.mjs';
import { Failure, Problem } from './problem.mjs';

export { freePort } from './ports.mjs';

const HOST = '127.0.0.1';
/** Valkey is a Redis of another name. */
const PROGRAMS = ['redis-server', 'valkey-server'];
/** Where systems keep what is for administrators. */
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/opt/homebrew/bin'];

/**
 * A server's program, on the PATH or where systems keep it; null where there is none.
 * @param {NodeJS.ProcessEnv} env
 * @returns {string | null}
 */
export function findRedis(env) {
  const folders = [...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''), ...FOLDERS];
  const found = PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  return found ?? null;
}

/** @typedef {string | number | (string | number)[]} Setting a list: the setting is given several times */

/**
 * The file of a server on loopback, which keeps nothing on disk and has one account besides those that others make.
 * @param {{ port: number, dir: string, adminPassword: string, replicaOf?: { host: string, port: number }, settings?: Record<string, Setting> }} options
 * @returns {string}
 */
export function redisConf({ port, dir, adminPassword, replicaOf, settings = {} }) {
  const replica =
    replicaOf === undefined
      ? {}
      : {
          replicaof: `${replicaOf.host} ${replicaOf.port}`,
          masteruser: 'default',
          masterauth: adminPassword,
        };
  const all = {
    bind: HOST,
    port,
    dir: `"${dir}"`,
    user: `default on >${adminPassword} ~* &* +@all`,
    save: '""',
    appendonly: 'no',
    // Replicas are fed from memory, and at once.
    'repl-diskless-sync': 'yes',
    'repl-diskless-sync-delay': 0,
    'repl-diskless-load': 'on-empty-db',
    ...replica,
    ...settings,
  };
  return Object.entries(all)
    .flatMap(([name, value]) => [value].flat().map((each) => `${name} ${each}\n`))
    .join('');
}

/**
 * Runs a Redis or Valkey on loopback, for tests.
 * @param {object} options
 * @param {string} [options.name] what to call it in messages
 * @param {string} options.dir its folder; made at first
 * @param {number} options.port on 127.0.0.1
 * @param {string} options.adminPassword of the account `default`, without spaces and quotes
 * @param {{ host: string, port: number }} [options.replicaOf] the primary, which has the same password
 * @param {Record<string, Setting>} [options.settings] more of redis.conf
 * @param {{ remove: string[] } | null} [options.reaper] see startChild
 * @param {NodeJS.ProcessEnv} [options.env] whose PATH is searched
 * @returns {Promise<{ host: string, port: number, pid: number, child: Awaited<ReturnType<typeof startChild>>, stop(): Promise<void> }>}
 * @throws {Problem} where there is no program
 * @throws {Error} `portTaken: true` when another program got the port first
 */
export async function startRedis(options) {
  const { name = 'redis', dir, port, reaper = null, env = process.env } = options;
  const program = findRedis(env);
  if (program === null)
    throw new Problem(
      'there is no redis-server on this machine',
      'Install it (`apt-get install redis-server`)',
    );
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'redis.conf');
  // One that the server has written itself (`CONFIG REWRITE`) is kept: that is what a restart is about.
  if (!existsSync(file)) await writeFile(file, redisConf(options), { mode: 0o600 });
  const logFile = join(dir, 'redis.log');
  const child = await startChild(program, [file], {
    name,
    logFile,
    cwd: dir,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    reaper,
  });
  const ended = () => child.end() !== null;
  const said = () => readFileSync(logFile).subarray(child.logFrom).toString('utf8');
  // Another program may answer at the port, so the server's own word is what counts.
  const isReady = () => said().includes('Ready to accept connections');
  if (!(await eventually(isReady, { everyMs: 10, withinMs: 30_000, ended }))) {
    await child.stop();
    const error = new Failure(`Redis did not start; see ${logFile}`);
    throw Object.assign(error, { portTaken: said().includes('Address already in use') });
  }
  return {
    host: HOST,
    port,
    pid: child.pid,
    child,
    async stop() {
      await child.stop();
    },
  };
}
