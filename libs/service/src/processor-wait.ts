/** Whether there is a processor for this process, as its main thread sees it. */
import { readFileSync } from 'node:fs';

/** Time spent on a processor and time spent waiting for one, in nanoseconds: Linux, Documentation/scheduler/sched-stats.rst, "/proc/<pid>/schedstat". */
const readOwn = () => readFileSync('/proc/self/schedstat', 'utf8');

const AT_LEAST_MS = 100;

export class ProcessorWait {
  #ranNs = 0;
  #waitedNs = 0;
  #askedMs = -Infinity;
  #share = 0;

  constructor(private readonly read: () => string = readOwn) {
    this.share(performance.now());
  }

  /**
   * Of the time in which it could have run, the part that it waited, since this was asked a tenth of a second ago or longer.
   * @returns 0: it never waited, to 1: it only waited; 0 where Linux does not tell
   */
  share(nowMs = performance.now()): number {
    if (nowMs - this.#askedMs < AT_LEAST_MS) return this.#share;
    const [ranNs = 0, waitedNs = 0] = this.#told();
    const ran = ranNs - this.#ranNs;
    const waited = waitedNs - this.#waitedNs;
    [this.#askedMs, this.#ranNs, this.#waitedNs] = [nowMs, ranNs, waitedNs];
    this.#share = ran + waited > 0 ? waited / (ran + waited) : 0;
    return this.#share;
  }

  #told(): number[] {
    try {
      return this.read().trim().split(' ').map(Number);
    } catch {
      return [];
    }
  }
}
