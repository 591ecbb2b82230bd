/** Whose processor time a run took, on Linux: milliseconds by part. What a process spent before the run counts for nothing. */
import { readdirSync, readFileSync } from 'node:fs';

const MS_A_TICK = 10;

/** @returns the time each part has used so far, in milliseconds; empty where there is no /proc */
function spent(stack) {
  const parts = new Map();
  for (const pid of processes()) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const part = partOf(pid, Number(fields[1]), stack);
      // Its own time, and that of children it waited for: a PostgreSQL server counts the connections that were closed.
      const ticks = [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0);
      if (part !== undefined) parts.set(part, (parts.get(part) ?? 0) + ticks * MS_A_TICK);
    } catch {
      // It ended meanwhile.
    }
  }
  return parts;
}

function processes() {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

const line = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');

function partOf(pid, parent, { stateDir }) {
  if (Number(pid) === process.pid) return 'load';
  const command = line(pid);
  if (command.startsWith('postgres:')) return partOf(parent, 0, { stateDir });
  if (!command.includes(stateDir)) return serviceOf(pid, command, stateDir);
  if (command.includes('java')) return 'Kafka';
  if (/postgres/.test(command)) return /target/.test(command) ? "the target's PostgreSQL" : 'our PostgreSQL';
  return undefined;
}

function serviceOf(pid, command, stateDir) {
  const [, app, part] = /apps\/(\w+)\/src\/(?:(\w+)\/)?main\.js/.exec(command) ?? [];
  const service = part ?? app;
  if (service === undefined) return undefined;
  return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(stateDir) ? service : undefined;
}

/** @returns a function that tells what all of it, and each part, has used since, in milliseconds a piece */
export function processorTime(stack) {
  const before = spent(stack);
  return (pieces) => {
    const parts = [...spent(stack)].map(([part, ms]) => [part, (ms - (before.get(part) ?? 0)) / pieces]);
    const all = parts.reduce((sum, [, ms]) => sum + ms, 0);
    return Object.fromEntries([['all', all], ...parts].sort(([, a], [, b]) => b - a));
  };
}
