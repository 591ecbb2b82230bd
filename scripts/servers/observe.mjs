import { readFile } from 'node:fs/promises';
import { run, systemProgram } from './run.mjs';

/**
 * What can be told of a process: when it started, in a form that no other process with that number ever had, and its command
 * line. On Linux from /proc (`ps` is missing in small images), else from `ps`.
 * @param {number} pid
 * @returns {Promise<{ startedAt: string, command: string } | null>} null when there is no such process, or only its zombie
 */
export async function observe(pid) {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

async function fromProc(pid) {
  try {
    const [stat, commandLine, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ]);
    // proc(5): the second field is the name in brackets and may hold blanks and brackets; the third is the state, the 22nd the start.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    return { startedAt: `${boot.trim()}:${fields[19]}`, command: commandLine.split('\0').join(' ').trim() };
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return null;
    throw error;
  }
}

async function fromPs(pid) {
  const { code, output } = await run(
    systemProgram('ps'),
    ['-o', 'stat=,lstart=,command=', '-p', String(pid)],
    {
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    },
  );
  const found = /^\s*(\S+)\s+(\S+ \S+\s+\d+ \S+ \d{4})\s+(.*)$/m.exec(output);
  if (code !== 0 || found === null || found[1].startsWith('Z')) return null;
  return { startedAt: found[2].replace(/\s+/g, ' '), command: found[3] };
}
