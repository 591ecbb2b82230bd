import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/**
 * Makes a child of ours, which is a session of its own, give way to the others. Where Linux shares out the processor by sessions, the
 * niceness of a process counts within its session alone, and it is the session's that counts: sched(7), "The autogroup feature".
 * Where there is no such thing, or it may not be set, nothing is lost but this.
 * @param {number} pid of the session's first process
 * @param {number} nice from 0 to 19
 */
export function giveWay(pid, nice) {
  setPriority(pid, nice);
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice), { flag: 'r+' });
  } catch {
    // All services are equal then.
  }
}
