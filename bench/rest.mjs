/** When nothing that was done before is still being read: what is measured from then on is not what it left behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { recordsBehind } from './services.mjs';

const READERS = ['broker', 'revoker', 'auditor'];
/** Of what is said all the time, such as that somebody is alive. */
const FEW_RECORDS = 200;
const LOOK_EVERY_MS = 1_000;

/** @throws Error where it has not come to rest by then */
export async function atRest(world, withinMs = 180_000) {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const behind = await recordsBehind(world.stack, READERS);
    if (Object.values(behind).every((records) => records < FEW_RECORDS)) return;
    if (performance.now() > endMs) throw new Error(`still to be read: ${JSON.stringify(behind)}`);
    await sleep(LOOK_EVERY_MS);
  }
}
