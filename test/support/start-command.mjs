import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from '../../scripts/servers/child.mjs';
import { observe } from '../../scripts/servers/observe.mjs';
import { eventually } from '../../scripts/servers/ports.mjs';
import { postgresUser, temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { endLeftovers, judge } from '../../scripts/start/leftovers.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const root = join(import.meta.dirname, '..', '..');
const PORTS = ['KAFKA', 'POSTGRES', 'TARGET', 'BROKER', 'REVOKER', 'AUDITOR'];

export async function newStateDir() {
  const stateDir = await temporaryFolder('mayfly-start-', await postgresUser());
  const jars = join(await defaultStateDir(root), 'jars');
  mkdirSync(jars, { recursive: true });
  symlinkSync(jars, join(stateDir, 'jars'));
  return stateDir;
}

export async function startCommand(stateDir, env = {}) {
  const shell = { ...process.env };
  for (const variable of ['KAFKA_BROKERS', 'DATABASE_URL', 'TARGET_URL', 'NODE_OPTIONS'])
    delete shell[variable];
  for (const part of PORTS) shell[`MAYFLY_${part}_PORT`] = '0';
  const child = await startChild(process.execPath, [join(root, 'scripts', 'start.mjs')], {
    name: 'npm start',
    cwd: root,
    logFile: join(stateDir, 'start.log'),
    env: { ...shell, MAYFLY_STATE_DIR: stateDir, MAYFLY_SAMPLE: '0', ...env },
    lastSignal: 'SIGTERM',
    reaper: { remove: [stateDir] },
  });
  const output = () => readFileSync(child.logFile).subarray(child.logFrom).toString('utf8');
  return {
    output,
    kill: (signal) => child.kill(signal),
    exited: child.exited,
    async printed(line) {
      const isPrinted = () => output().split('\n').includes(line);
      const ended = () => child.end() !== null;
      if (await eventually(isPrinted, { everyMs: 50, withinMs: 120_000, ended })) return;
      if (isPrinted()) return;
      throw new Error(`it did not print \`${line}\`:\n${output()}`);
    },
  };
}

export async function removeStateDir(stateDir) {
  await endLeftovers(stateDir);
  await rm(stateDir, { recursive: true, force: true });
}

export function noted(stateDir) {
  return JSON.parse(readFileSync(join(stateDir, 'run', 'processes.json'), 'utf8'));
}

export async function living(processes) {
  const seen = await Promise.all(processes.map(async (one) => judge(one, await observe(one.pid))));
  return processes.filter((_, index) => seen[index] === 'ours').map(({ name }) => name);
}
