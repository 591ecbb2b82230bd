import { describe, recordProcesses } from './leftovers.mjs';

/**
 * The processes of one stack: noted in the state folder from the moment they run, watched once they are up, and stopped
 * together.
 */
export class Parts {
  #stateDir;
  #children = new Map();
  #expected = new Set();
  #onDeath;
  #closed = false;

  /**
   * @param {string} stateDir
   * @param {(child: { name: string, logFile: string, end(): { code: number | null, signal: string | null } | null }) => void} onDeath
   *   told of a part that ended though nobody asked it to
   */
  constructor(stateDir, onDeath) {
    this.#stateDir = stateDir;
    this.#onDeath = onDeath;
  }

  /** Notes a process that has just been started. */
  async add(child) {
    if (this.#closed) return child.kill('SIGKILL');
    // A container has no process of ours; after a SIGKILL of this one the engine's reaper ends it.
    const recorded = child.pid === null ? null : await describe(child);
    if (recorded === null && child.end() !== null) return;
    this.#children.set(child, recorded);
    this.#record();
    void child.exited.then(() => {
      this.#children.delete(child);
      this.#record();
    });
  }

  /** From now on its end is a failure of the stack, unless `expectEnd` said so. */
  watch(child) {
    void child.exited.then(() => {
      if (!this.#closed && !this.#expected.has(child)) this.#onDeath(child);
    });
  }

  expectEnd(child) {
    this.#expected.add(child);
  }

  /**
   * Ends all that still run.
   * @param {string[][]} order groups of names, one group after the other
   */
  async stop(order) {
    this.#closed = true; // no part started from now on lives, and no end is a failure any more
    for (const names of order) {
      const group = [...this.#children.keys()].filter((child) => names.includes(child.name));
      await Promise.all(group.map((child) => child.stop()));
    }
  }

  #record() {
    const processes = [...this.#children.values()].filter((recorded) => recorded !== null);
    recordProcesses(this.#stateDir, processes);
  }
}
