/** A bar for people who watch; where nobody does, nothing. */
const WIDTH = 30;
const EVERY_MS = 100;

export interface Progress {
  /** So many are done. */
  at: (done: number) => void;
  end: () => void;
}

export function progressOn(
  stream: { isTTY?: boolean; write(text: string): unknown },
  total: number,
): Progress {
  if (stream.isTTY !== true || total === 0) return { at: () => undefined, end: () => undefined };
  let shownMs = -Infinity;
  return {
    at: (done) => {
      if (performance.now() - shownMs < EVERY_MS) return;
      shownMs = performance.now();
      const filled = Math.min(WIDTH, Math.round((done / total) * WIDTH));
      stream.write(`\r[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${done} of ${total}`);
    },
    end: () => stream.write('\r\u001b[K'),
  };
}
