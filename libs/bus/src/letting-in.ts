/** Long work on the event loop, in parts: whoever else waits for the thread, as answers of the database do, is let in between. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So long others wait for it, and for the part that is under way. By time, because on a full machine each part takes several times as long. */
const STRETCH_MS = 2;

/** @returns to be called between two parts; what it answers is to be awaited */
export function lettingOthersIn(): () => Promise<void> | undefined {
  let sinceMs = performance.now();
  return () => {
    if (performance.now() - sinceMs < STRETCH_MS) return undefined;
    return nextTurn().then(() => void (sinceMs = performance.now()));
  };
}
