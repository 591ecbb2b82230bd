/** The orderly end: one step after the other, and no longer than the time there is. */
import type { Log } from '#telemetry/log.js';

export interface StopStep {
  /** What is in flight until the step has ended, a constant phrase: it is logged where time runs out. */
  what: string;
  run: () => unknown;
}

/**
 * A step that fails is told, and those behind it are taken all the same. Nothing depends on all being taken: what was in flight
 * is taken up by the next start, as after a kill.
 * @returns the exit status: 0 when all that had begun came to its end
 */
export async function stopInOrder(steps: readonly StopStep[], withinMs: number, log: Log): Promise<0 | 1> {
  const left = [...steps];
  let status: 0 | 1 = 0;
  const taken = (async () => {
    for (let step = left[0]; step !== undefined; step = left[0]) {
      try {
        await step.run();
      } catch (error) {
        log.error({ err: error, step: step.what }, 'a step of stopping failed');
        status = 1;
      }
      left.shift();
    }
    return 'taken' as const;
  })();
  let timer: NodeJS.Timeout | undefined;
  const timeIsUp = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), withinMs);
  });
  const outcome = await Promise.race([taken, timeIsUp]);
  clearTimeout(timer);
  if (outcome === 'taken') return status;
  const [inFlight, ...after] = left.map(({ what }) => what);
  log.error({ inFlight, after, withinMs }, 'stopped before all that had begun was finished');
  return 1;
}
