/**
 * The niceness of this process's session, which is what Linux shares the processor out by: sched(7), "The autogroup feature". Whoever is
 * alone in a session may lower its share and raise it again, up to what it was. A session that others are in, as a shell's, is left alone.
 */
import { readFileSync, writeFileSync } from 'node:fs';

export interface SessionNiceness {
  read: () => number;
  /** @throws NodeJS.ErrnoException EAGAIN after ten changes in a second, EPERM for a negative one */
  write: (nice: number) => void;
}

const AUTOGROUP = '/proc/self/autogroup';

/** @returns null where Linux does not share out by sessions, or this one is not ours */
export function ownSession(): SessionNiceness | null {
  try {
    if (!leads(readFileSync('/proc/self/stat', 'utf8'), process.pid)) return null;
    niceIn(readFileSync(AUTOGROUP, 'utf8'));
  } catch {
    return null;
  }
  return {
    read: () => niceIn(readFileSync(AUTOGROUP, 'utf8')),
    write: (nice) => writeFileSync(AUTOGROUP, String(nice), { flag: 'r+' }),
  };
}

/** Whether a process leads its session: proc_pid_stat(5), field 6, behind a name that may hold anything. */
export function leads(stat: string, pid: number): boolean {
  const [, , , session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return session === String(pid);
}

/** Of `/autogroup-25 nice 5`. @throws Error for anything else */
export function niceIn(autogroup: string): number {
  const [, nice] = /^\/autogroup-\d+ nice (-?\d+)\s*$/.exec(autogroup) ?? [];
  if (nice === undefined) throw new Error('not the niceness of a session');
  return Number(nice);
}
