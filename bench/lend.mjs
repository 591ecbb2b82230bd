/** Many leases, by real calls: each is a role at the target. */
import { envelopeHeader } from '../dist/libs/agent/src/open-envelope.js';

/** More would wait in the broker, and some of those for too long. */
const AT_ONCE = 50;

/**
 * @param taskOf the task of the n-th lease
 * @param callOf what else its call says
 * @param untilMs no call is made after this moment (`Date.now()`): of a slow machine there are fewer leases then
 * @returns ids of the leases, in their order
 */
export async function lend(world, count, taskOf, callOf = () => ({}), untilMs = Infinity) {
  const leaseIds = [];
  let next = 0;
  const worker = async () => {
    while (next < count && Date.now() < untilMs) {
      const n = next;
      next += 1;
      const { answer, envelope, code } = await world.call(taskOf(n), callOf(n));
      if (answer !== 'delivered') throw new Error(`a call was refused: ${code}`);
      leaseIds[n] = envelopeHeader(envelope).leaseId;
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
  return leaseIds;
}

/** Calls at a steady rate until `over` resolves. @returns how long each took */
export async function steadyCalls(world, tasks, perSecond, over) {
  let goesOn = true;
  const end = over.finally(() => (goesOn = false));
  const startMs = performance.now();
  const calls = [];
  for (let n = 0; goesOn; n += 1) {
    const waitMs = startMs + (n * 1_000) / perSecond - performance.now();
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)))]);
    if (goesOn) calls.push(world.call(tasks[n % tasks.length]));
  }
  await end;
  return (await Promise.all(calls)).map(({ ms }) => ms);
}
