import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../servers/child.mjs';
import { eventually } from '../servers/ports.mjs';
import { Failure } from '../servers/problem.mjs';

export const SERVICES = ['broker', 'revoker', 'auditor', 'signer'];
/** Of a process that is the second one of an app. */
const SOURCES = { signer: join('auditor', 'src', 'signer') };
/** How Node collects its garbage: see docs/how-to/start-and-stop.md. The signer does little, and is to need little. */
const HEAP = { signer: ['--max-semi-space-size=1', '--max-old-space-size=96'] };
const SERVICE_HEAP = ['--max-semi-space-size=32', '--no-parallel-scavenge', '--v8-pool-size=1'];
const KEPT_LOG_BYTES = 16 * 2 ** 20;
const TAIL_LINES = 20;
const STANDS_BY = /"standing by: [^"]+"/;

/**
 * The environment of one service: the shell's, less the accounts of everybody else, what would steer its PostgreSQL client
 * from outside, and any Kafka where it has none; and its own accounts.
 * @param {NodeJS.ProcessEnv} shell
 * @param {Record<string, string>} own
 * @returns {NodeJS.ProcessEnv}
 */
export function serviceEnvironment(shell, own) {
  const foreign = /^(DATABASE_URL|TARGET_URL|PG[A-Z]+|MAYFLY_TARGET_\w+|MAYFLY_\w+_DATABASE_URL)$/;
  const isForeign = (name) =>
    foreign.test(name) || (own.KAFKA_BROKERS === undefined && name.startsWith('KAFKA_'));
  const kept = Object.entries(shell).filter(([name]) => !isForeign(name));
  return { ...Object.fromEntries(kept), MAYFLY_ENV: 'development', ...own };
}

/**
 * Starts a built service and waits until it says that it is ready.
 * @param {object} options
 * @param {string} options.root the clone
 * @param {string} options.service
 * @param {number} options.port of its HTTP interface
 * @param {NodeJS.ProcessEnv} options.env from serviceEnvironment; MAYFLY_CONFIG is another configuration than the sample's
 * @param {string} options.logFile
 * @param {{ remove: string[] } | null} options.reaper see startChild
 * @param {(child: Awaited<ReturnType<typeof startChild>>) => Promise<void>} options.onSpawn
 * @param {boolean} [options.mayStandBy] whether it is up, too, when it says that another one is at work
 * @returns {Promise<Awaited<ReturnType<typeof startChild>>>}
 * @throws {Error} with the end of its log; `portTaken: true` when another program got the port first
 */
export async function startService(options) {
  const { root, service, port, env, logFile, reaper, onSpawn, mayStandBy = false } = options;
  const main = join('dist', 'apps', SOURCES[service] ?? join(service, 'src'), 'main.js');
  const config = env.MAYFLY_CONFIG || join('deploy', 'sample', 'mayfly.yaml');
  rotate(logFile);
  const heap = HEAP[service] ?? SERVICE_HEAP;
  const child = await startChild(process.execPath, [...heap, main, '--config', config], {
    name: service,
    cwd: root,
    env: { ...env, [`MAYFLY_${service.toUpperCase()}_PORT`]: String(port) },
    logFile,
    stopSignal: reaper === null ? 'SIGTERM' : 'SIGKILL',
    reaper,
  });
  await onSpawn(child);
  let reasons = 'it does not answer';
  const isReady = async () => {
    const answer = await probe(`http://127.0.0.1:${port}/health/ready`);
    if (answer !== null) reasons = answer.body;
    return answer?.status === 200 || (mayStandBy && STANDS_BY.test(reasons));
  };
  const ended = () => child.end() !== null;
  if ((await eventually(isReady, { everyMs: 50, withinMs: 90_000, ended })) && !ended()) return child;
  const why = ended() ? `it ended with ${ending(child)}` : reasons;
  await child.stop();
  const log = tail(child);
  const error = new Failure(`the ${service} did not become ready: ${why}\n${log}`);
  throw Object.assign(error, { portTaken: log.includes('EADDRINUSE') });
}

/** How a child ended, for a message. */
export function ending(child) {
  const { code, signal } = child.end();
  return signal === null ? `status ${code}` : signal;
}

/** The last lines that a child has logged. */
export function tail({ logFile, logFrom }) {
  const text = readFileSync(logFile).subarray(logFrom).toString('utf8').trimEnd();
  return text.split('\n').slice(-TAIL_LINES).join('\n');
}

async function probe(url) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return { status: response.status, body: (await response.text()).slice(0, 500) };
  } catch {
    return null; // not listening yet
  }
}

function rotate(logFile) {
  if (existsSync(logFile) && statSync(logFile).size > KEPT_LOG_BYTES) renameSync(logFile, `${logFile}.1`);
}
