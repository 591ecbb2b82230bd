import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { startChild } from './child.mjs';
import { postgresBinaries } from './postgres-binaries.mjs';
import { give, postgresUser } from './postgres-user.mjs';
import { eventually } from './ports.mjs';
import { Failure } from './problem.mjs';
import { run } from './run.mjs';
import { observe } from './observe.mjs';

const SUPERUSER = 'postgres';
// Nothing of the caller's: a PGOPTIONS or LC_ALL of the shell must not reach the server.
const environment = () => ({ PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' });

/**
 * Settings of the embedded server. Statements are never logged, failed ones included: they may hold a password's verifier.
 * @param {{ port: number, durable: boolean, major?: number, settings?: Record<string, string | number> }} options
 * @returns {string[]} `-c` arguments
 */
export function serverSettings({ port, durable, major = 18, settings = {} }) {
  const always = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 250,
    shared_buffers: '128MB',
    dynamic_shared_memory_type: 'posix',
    ...(major < 18 ? {} : { io_method: 'sync' }),
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_statement: 'none',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    // After each checkpoint every page is written whole once: not every few seconds of a busy minute.
    max_wal_size: '1GB',
    // While a new file of the log is filled with zeros every commit waits: 0.1 s for each 16 MB, until there are old ones to be used again.
    wal_init_zero: 'off',
    password_encryption: 'scram-sha-256',
  };
  // A server that is killed still keeps what it committed: the system has it.
  const careless = durable ? {} : { fsync: 'off', full_page_writes: 'off' };
  return Object.entries({ ...always, ...careless, ...settings }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ]);
}

/**
 * Runs PostgreSQL on loopback, 18 unless told otherwise, with scram-sha-256 as the only way in. The caller makes sure that nobody else uses `dir`;
 * a server that an earlier, killed owner left running there is ended first.
 * @param {object} options
 * @param {string} [options.name] what to call it in messages
 * @param {string} options.dir the data folder; made at first, in a folder that PostgreSQL's account can enter
 * @param {number} options.port on 127.0.0.1
 * @param {string} options.superuserPassword
 * @param {boolean} options.durable false for tests: fast, and lost with the machine
 * @param {string} [options.cacheDir] for a copy of the binaries where one is needed; beside `dir` unless told
 * @param {{ major: number, bin: string }} [options.other] another PostgreSQL of this machine, for tests (findPostgres)
 * @param {string} [options.logFile] `<dir>.log` unless told
 * @param {Record<string, string | number>} [options.settings] more of postgresql.conf
 * @param {{ remove: string[] } | null} [options.reaper] see startChild; for throw-away servers
 * @param {(child: Awaited<ReturnType<typeof startChild>>) => Promise<void>} [options.onSpawn] told of the process before it is ready
 * @returns {Promise<{ url: string, host: string, port: number, pid: number, child: Awaited<ReturnType<typeof startChild>>, stop(): Promise<void> }>} `url` is the superuser's
 * @throws {import('./problem.mjs').Problem} without binaries or an account
 * @throws {Error} `portTaken: true` when another program got the port first
 */
export async function startPostgres(options) {
  const { dir, port, superuserPassword, durable, cacheDir = dirname(dir), logFile = `${dir}.log` } = options;
  const { name = 'postgres', settings, reaper = null, onSpawn, other } = options;
  const user = await postgresUser();
  const bin = other?.bin ?? join(await postgresBinaries({ user, cacheDir }), 'bin');
  await initialise({ dir, bin, user, superuserPassword, durable });
  await endStale(dir);
  const child = await startChild(
    join(bin, 'postgres'),
    ['-D', dir, ...serverSettings({ port, durable, major: other?.major, settings })],
    {
      name,
      logFile,
      cwd: '/',
      env: environment(),
      user,
      stopSignal: durable ? 'SIGINT' : 'SIGQUIT',
      lastSignal: 'SIGQUIT',
      reaper,
    },
  );
  await onSpawn?.(child);
  const ended = () => child.end() !== null;
  // A start after a crash replays the write-ahead log first, which can take a while.
  const up = await eventually(() => isReady(dir, child.pid), { everyMs: 20, withinMs: 120_000, ended });
  if (!up) {
    await child.stop();
    const tail = readFileSync(logFile).subarray(child.logFrom).toString('utf8');
    const error = new Failure(`PostgreSQL did not start; see ${logFile}`);
    throw Object.assign(error, { portTaken: /could not bind IPv4 address/.test(tail) });
  }
  const host = '127.0.0.1';
  return {
    url: `postgres://${SUPERUSER}:${encodeURIComponent(superuserPassword)}@${host}:${port}/postgres`,
    host,
    port,
    pid: child.pid,
    child,
    async stop() {
      await child.stop();
    },
  };
}

/** initdb works beside and is renamed when whole, so that a cut-short one is done again. */
async function initialise({ dir, bin, user, superuserPassword, durable }) {
  if (existsSync(join(dir, 'PG_VERSION'))) return;
  const part = `${dir}.part`;
  const passwordFile = `${dir}.pw`;
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true, mode: 0o700 });
  await give(user, part);
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${superuserPassword}\n`, { mode: 0o600, flag: 'wx' });
  await give(user, passwordFile);
  const auth = ['--auth-local=scram-sha-256', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`];
  const sync = durable ? [] : ['--no-sync'];
  const form = [`--username=${SUPERUSER}`, '--locale=C', '--encoding=UTF8'];
  const asUser = user === null ? {} : { uid: user.uid, gid: user.gid };
  const args = [`--pgdata=${part}`, ...form, ...auth, ...sync];
  const { code, output } = await run(join(bin, 'initdb'), args, { cwd: '/', env: environment(), ...asUser });
  await rm(passwordFile, { force: true });
  if (code !== 0) throw new Failure(`initdb failed: ${output.trim().slice(-500)}`);
  await rename(part, dir);
}

/**
 * Line 8 of postmaster.pid says `ready` once connections are taken; the port opens earlier than that.
 * @returns {boolean}
 */
function isReady(dir, pid) {
  const lines = pidFile(dir);
  return lines[0] === String(pid) && lines[7]?.trim() === 'ready';
}

function pidFile(dir) {
  try {
    return readFileSync(join(dir, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Ends the server of an owner that was killed. PostgreSQL itself refuses to start while the recorded process number is in use
 * by anybody, which after a reboot or in a container may be a stranger; then only the file goes.
 */
async function endStale(dir) {
  const pid = Number(pidFile(dir)[0]);
  if (!Number.isInteger(pid) || pid <= 1) return;
  const isOurs = async () => (await observe(pid))?.command.includes(dir) ?? false;
  for (const signal of ['SIGQUIT', 'SIGKILL']) {
    if (!(await isOurs())) break;
    process.kill(pid, signal);
    await eventually(async () => !(await isOurs()), { everyMs: 50, withinMs: 10_000 });
  }
  // Backends of a server that was killed may still write. They end when they see that it is gone.
  await eventually(async () => !(await hasBackends(dir)), { everyMs: 50, withinMs: 30_000 });
  await rm(join(dir, 'postmaster.pid'), { force: true });
}

/** Whether a process works in the data folder, as every process of a server does. Where there is no /proc, nobody can tell. */
async function hasBackends(dir) {
  const processes = await readdir('/proc').catch(() => []);
  const folders = processes
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => ''));
  return (await Promise.all(folders)).includes(dir);
}
