import { setTimeout as sleep } from 'node:timers/promises';

const WITHIN_MS = 30_000;

/** Looks until it is so. @param seen what there is to be seen instead. @throws Error with that after half a minute */
export async function until(
  condition: () => boolean | Promise<boolean>,
  seen: () => Promise<string> | string = () => '',
): Promise<void> {
  for (const endMs = Date.now() + WITHIN_MS; !(await condition()); await sleep(5))
    if (Date.now() > endMs) throw new Error(`waited in vain ${await seen()}`);
}
