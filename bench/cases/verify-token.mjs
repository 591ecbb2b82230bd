/** A downstream check of a token with its proof, with the local revocation set: how many a second on one core, and how long one takes. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Resource } from '../resource.mjs';
import { latencies } from '../stats.mjs';

export const name = 'verify-token';
export const needsStack = true;

const AT_ONCE = 500;

export async function run({ world, size }) {
  const resource = await Resource.open(world);
  try {
    await resource.ready();
    const [taskId] = await world.hearing(() => world.startTasks(1));
    const token = await resource.token(taskId);
    const valuesMs = [];
    for (let done = 0; done < size.checks; done += AT_ONCE) {
      // The proofs are the caller's work, and old ones are refused.
      const requests = Array.from({ length: AT_ONCE }, () => resource.request(token));
      for (const request of requests) {
        const startMs = performance.now();
        const verdict = await resource.verifier.check(request);
        valuesMs.push(performance.now() - startMs);
        if (!verdict.ok) throw new Error(`a good token was refused: ${verdict.code}`);
        // As between two requests of a server: or the heartbeats of the revoker wait, and nothing is known any more.
        await nextTurn();
      }
    }
    const looksMs = performance.now();
    for (let n = 0; n < size.checks; n += 1)
      resource.feed.set.isDead({ leaseId: taskId, agent: '', kid: '', lineage: [{ taskId, generation: 1 }] });
    const lookUs = ((performance.now() - looksMs) * 1_000) / size.checks;
    await world.hearing(() => world.endTasks([taskId]));
    const warm = valuesMs.slice(Math.floor(valuesMs.length / 5));
    const totalMs = warm.reduce((sum, ms) => sum + ms, 0);
    return {
      'checks/s': Math.round((warm.length * 1_000) / totalMs),
      ...latencies(warm),
      'look-up µs': lookUs,
    };
  } finally {
    await resource.close();
  }
}
