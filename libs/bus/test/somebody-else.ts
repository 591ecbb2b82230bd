/** Who waits for this thread while `busily` is called again and again on it, each time for longer than anybody should wait. */
export interface SomebodyElse {
  busily: () => void;
  /** How often it had been called when they were let in; Infinity until then. */
  letInAfter: () => number;
}

const BUSY_MS = 5;

export function somebodyElse(): SomebodyElse {
  let [calls, letInAfter] = [0, Infinity];
  return {
    busily: () => {
      if (calls === 0) setImmediate(() => (letInAfter = calls));
      const beganMs = performance.now();
      while (performance.now() - beganMs < BUSY_MS);
      calls += 1;
    },
    letInAfter: () => letInAfter,
  };
}
