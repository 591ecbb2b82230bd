/** Things that come when they are due, whatever became of those before. */
import { setTimeout as sleep } from 'node:timers/promises';

/** @param act is given its number. @returns what each came to, in order */
export async function atRate(count, perSecond, act) {
  const startMs = performance.now();
  const answers = [];
  for (let n = 0; n < count; n += 1) {
    const dueMs = startMs + (n * 1_000) / perSecond;
    if (dueMs > performance.now()) await sleep(dueMs - performance.now());
    answers.push(act(n));
  }
  return await Promise.all(answers);
}
