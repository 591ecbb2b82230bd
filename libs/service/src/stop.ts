/** The orderly end: one step after the other, and no longer than the time there is. */
import type { Log } from '#telemetry/log.js';

export interface StopStep {
  /** What is in flight until the step has ended, a constant phrase: it is logged where time runs out. */
  what: string;
  run: () => unknown;
  /** Where those behind it need not wait for ever: a bus that is away must not keep outcomes from being stored. */
  withinMs?: number;
}

/**
 * A step that fails or takes its time is told, and those behind it are taken all the same. Nothing depends on all being taken:
 * what was in flight is taken up by the next start, as after a kill.
 * @returns the exit status: 0 when all that had begun came to its end
 */
export async function stopInOrder(steps: readonly StopStep[], withinMs: number, log: Log): Promise<0 | 1> {
  const endMs = performance.now() + withinMs;
  let status: 0 | 1 = 0;
  for (const [i, step] of steps.entries()) {
    const leftMs = Math.max(0, endMs - performance.now());
    const ownMs = step.withinMs ?? leftMs;
    const outcome = await bounded(step, Math.min(leftMs, ownMs));
    if (outcome === 'ended') continue;
    status = 1;
    if (outcome !== 'late') log.error({ err: outcome.failed, step: step.what }, 'a step of stopping failed');
    else if (ownMs < leftMs) log.error({ inFlight: step.what }, 'a step of stopping takes too long');
    else {
      const after = steps.slice(i + 1).map(({ what }) => what);
      log.error({ inFlight: step.what, after, withinMs }, 'stopped before all that had begun was finished');
      break;
    }
  }
  return status;
}

async function bounded({ run }: StopStep, withinMs: number): Promise<'ended' | 'late' | { failed: unknown }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), withinMs);
  });
  const ended = (async () => {
    try {
      await run();
      return 'ended' as const;
    } catch (error) {
      return { failed: error };
    }
  })();
  const outcome = await Promise.race([ended, late]);
  clearTimeout(timer);
  return outcome;
}
