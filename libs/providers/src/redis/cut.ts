/**
 * Cut: on every node, the fence is set, the login taken and each connection ended in one step, which the server takes alone; then it is
 * looked at until nothing is there (protocol rule 7, class `fenced`). Safe to repeat and to run twice at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { faultPoint } from '#telemetry/fault-point.js';
import type { Log } from '#telemetry/log.js';
import type { CutReport } from '../provider.js';
import { fenceCommand, killCommand, killedIn, lookCommand, stateIn } from './acl.js';
import type { CheckedPlan } from './checked-plan.js';
import { asProviderError, isRefusal } from './errors.js';
import { observationOf, type Node, type NodeLook } from './nodes.js';

/** When to look, in milliseconds after the fence. The server does one thing at a time, so the first look is true already. */
const LOOKS_AT_MS = [0, 2, 20, 50, 100, 200, 400, 700, 1_000];
const EMPTY_LOOKS = 2;

/**
 * A node where the fence could not be set is not looked at either, so nothing is proven of the whole.
 * @throws ProviderError when it could be set on none: nothing is known, call again
 */
export async function cut(nodes: readonly Node[], plan: CheckedPlan, log: Log): Promise<CutReport> {
  const fences = await Promise.allSettled(nodes.map((node) => setFence(node, plan)));
  const failures = fences.filter((fence) => fence.status === 'rejected');
  if (failures.length === nodes.length) throw asProviderError(failures[0]?.reason);
  for (const [i, fence] of fences.entries()) {
    if (fence.status === 'rejected')
      log.warn(
        { err: fence.reason as unknown, node: nodes[i]?.cut.node, leaseId: plan.leaseId },
        'node cannot be cut',
      );
  }
  faultPoint('cut.fenced');
  const fenced = nodes.map((node, i) => (fences[i]?.status === 'fulfilled' ? node : null));
  const ended = fences.map((fence) => (fence.status === 'fulfilled' ? fence.value : 0));
  const report = await endSessions(fenced, plan, log);
  return { ...report, sessionsEnded: ended.reduce((sum, each) => sum + each, report.sessionsEnded) };
}

/** @returns connections ended */
async function setFence({ cut: connection }: Node, { principal }: CheckedPlan): Promise<number> {
  const steps = [fenceCommand(principal), killCommand(principal)];
  try {
    const [fenced, killed] = await connection.atomically(steps);
    if (fenced instanceof Error) throw fenced;
    return killedIn(killed);
  } catch (error) {
    // Nothing is proven where one of the two is refused, but what the other takes need not wait for it.
    if (isRefusal(error)) await Promise.allSettled(steps.map((step) => connection.send([step])));
    throw error;
  }
}

async function endSessions(nodes: readonly (Node | null)[], plan: CheckedPlan, log: Log): Promise<CutReport> {
  const fencedAtMs = performance.now();
  let [emptyObservations, sessionsEnded] = [0, 0];
  for (const [i, atMs] of LOOKS_AT_MS.entries()) {
    await sleep(Math.max(0, atMs - (performance.now() - fencedAtMs)));
    const looks = await Promise.all(nodes.map((node) => endAndLook(node, plan, log)));
    const observation = observationOf(looks, Date.now());
    const isEmpty = observation.state === 'absent' || observation.state === 'disabled';
    emptyObservations = isEmpty ? emptyObservations + 1 : 0;
    sessionsEnded += observation.sessions ?? 0;
    // A node that does not answer will not do so within a second: the revoker comes again.
    const isOver = observation.state === 'unknown' || emptyObservations >= EMPTY_LOOKS;
    if (isOver || i === LOOKS_AT_MS.length - 1) return { observation, emptyObservations, sessionsEnded };
  }
  throw new Error('a cut looks at least once');
}

/** Ends what is there, and tells what was. */
async function endAndLook(
  node: Node | null,
  { principal, leaseId }: CheckedPlan,
  log: Log,
): Promise<NodeLook | null> {
  if (node === null) return null;
  try {
    const open = await node.cut.open();
    const [user, killed] = await open.atomically([lookCommand(principal), killCommand(principal)]);
    if (user instanceof Error) throw user;
    return { state: stateIn(user), sessions: killedIn(killed), runId: open.life.runId };
  } catch (error) {
    log.warn({ err: error, node: node.cut.node, leaseId }, 'node cannot be looked at');
    return null;
  }
}
