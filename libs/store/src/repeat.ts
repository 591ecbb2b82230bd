/** Runs work again and again, one run at a time, `pauseMs` apart. A failed run is told and tried again at the next turn. */
export function repeat(
  pauseMs: number,
  work: () => Promise<void>,
  onError: (error: Error) => void,
): { stop: () => Promise<void> } {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();
  const turn = () => {
    running = work()
      .catch((error: unknown) => onError(error instanceof Error ? error : new Error(String(error))))
      .finally(() => {
        if (!stopped) timer = setTimeout(turn, pauseMs).unref();
      });
  };
  turn();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
