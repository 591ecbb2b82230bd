/** Ends what is open when the process is told to stop: best effort, within a bound, and then the signal does what it would have done. */

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
type StopSignal = (typeof SIGNALS)[number];

/** MUST settle within a bound of its own. */
type End = (signal: StopSignal) => Promise<unknown>;

const open = new Set<End>();
let isStopping = false;

/** @returns no longer: what was open has ended otherwise. */
export function endOnInterruption(end: End): () => void {
  if (open.size === 0) for (const signal of SIGNALS) process.on(signal, stop);
  open.add(end);
  return () => {
    open.delete(end);
    if (open.size === 0 && !isStopping) withdraw();
  };
}

function stop(signal: StopSignal): void {
  // A second one does not wait.
  if (isStopping) return leave(signal);
  isStopping = true;
  void Promise.allSettled([...open].map((end) => end(signal))).then(() => leave(signal));
}

/** Where nobody else listens to the signal, it ends the process, as it does without us. */
function leave(signal: StopSignal): void {
  withdraw();
  isStopping = false;
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

function withdraw(): void {
  for (const signal of SIGNALS) process.off(signal, stop);
}
