import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { observe } from '../servers/observe.mjs';
import { eventually } from '../servers/ports.mjs';

/**
 * @typedef {object} Recorded
 * @property {string} name
 * @property {number} pid
 * @property {string} startedAt as observe() told it
 * @property {string} program the start of its command line
 * @property {string} lastSignal what ends it without delay
 */

const file = (stateDir) => join(stateDir, 'run', 'processes.json');

/**
 * Notes the processes that run now, for the start after a SIGKILL of this one.
 * @param {string} stateDir
 * @param {Recorded[]} processes
 */
export function recordProcesses(stateDir, processes) {
  const target = file(stateDir);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(`${target}.part`, `${JSON.stringify(processes, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${target}.part`, target);
}

/**
 * @param {{ name: string, pid: number, lastSignal: string }} child
 * @returns {Promise<Recorded | null>} null when it has ended already
 */
export async function describe({ name, pid, lastSignal }) {
  const seen = await observe(pid);
  if (seen === null) return null;
  return { name, pid, startedAt: seen.startedAt, program: seen.command.split(' ', 1)[0], lastSignal };
}

/**
 * Whether a recorded process is still there. A number alone proves nothing: it may have been given to a stranger, whom we
 * must not end. The command line is compared by its first word only, since PostgreSQL rewrites the rest.
 * @param {Recorded} recorded
 * @param {{ startedAt: string, command: string } | null} seen
 * @returns {'gone' | 'stranger' | 'ours'}
 */
export function judge(recorded, seen) {
  if (seen === null) return 'gone';
  const isSame = seen.startedAt === recorded.startedAt && seen.command.startsWith(recorded.program);
  return isSame ? 'ours' : 'stranger';
}

/**
 * Ends what an earlier start left running when it was killed.
 * @param {string} stateDir its lock is held
 * @returns {Promise<string[]>} the names of the processes that it ended
 */
export async function endLeftovers(stateDir) {
  const ended = await Promise.all(
    read(stateDir).map(async (recorded) => ((await end(recorded)) ? recorded.name : null)),
  );
  recordProcesses(stateDir, []);
  return ended.filter((name) => name !== null);
}

async function end(recorded) {
  const isGone = async () => judge(recorded, await observe(recorded.pid)) !== 'ours';
  if (await isGone()) return false;
  for (const signal of [recorded.lastSignal, 'SIGKILL']) {
    signalGroup(recorded.pid, signal);
    if (await eventually(isGone, { everyMs: 50, withinMs: 10_000 })) return true;
  }
  throw new Error(`the process ${recorded.pid} (${recorded.name}) of an earlier start cannot be ended`);
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function read(stateDir) {
  try {
    return JSON.parse(readFileSync(file(stateDir), 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}
