/**
 * The line before each target, of leases that are due and that nobody has looked at yet: tasks take turns, and those of one tenant
 * stand behind each other, so that who has one lease to cut does not wait for who has ten thousand. A place in the line is a moment
 * (epoch milliseconds) that orders and delays nothing. Pure; of one process, which is fair enough where there are several.
 */

/** How far each lease stands behind the one before of its task, and each task behind the one before of its tenant. */
export const STEP_MS = 10;

interface Line {
  /** The next place of each tenant's next task. */
  tenants: Map<string, number>;
  /** The next place of each task, by tenant and id. */
  tasks: Map<string, number>;
}

export class Turns {
  readonly #lines = new Map<string, Line>();

  next(target: string, tenant: string, taskId: string, nowMs: number): number {
    const line: Line = this.#lines.get(target) ?? { tenants: new Map(), tasks: new Map() };
    this.#lines.set(target, line);
    const task = `${tenant} ${taskId}`;
    const behindItself = line.tasks.get(task) ?? 0;
    const turnAtMs = behindItself > nowMs ? behindItself : Math.max(nowMs, line.tenants.get(tenant) ?? 0);
    if (behindItself <= nowMs) line.tenants.set(tenant, turnAtMs + STEP_MS);
    line.tasks.set(task, turnAtMs + STEP_MS);
    return turnAtMs;
  }

  /** Nobody stands in the line of this target any more. */
  forget(target: string): void {
    this.#lines.delete(target);
  }
}
