/** Looking at a principal on every node, without touching it. */
import type { Log } from '#telemetry/log.js';
import type { Observation } from '../provider.js';
import { clientsIn, lookCommand, stateIn } from './acl.js';
import type { CheckedPlan } from './checked-plan.js';
import { observationOf, type Node, type NodeLook } from './nodes.js';

/** A node that cannot be looked at is not seen. Never rejects. */
export async function lookAt(nodes: readonly Node[], plan: CheckedPlan, log: Log): Promise<Observation> {
  const looks = await Promise.all(
    nodes.map((node) =>
      lookAtNode(node, plan).catch((error: unknown) => {
        log.warn({ err: error, node: node.tidy.node, leaseId: plan.leaseId }, 'node cannot be looked at');
        return null;
      }),
    ),
  );
  return observationOf(looks, Date.now());
}

/** @throws as `Open.send` */
export async function lookAtNode({ tidy }: Node, { principal }: CheckedPlan): Promise<NodeLook> {
  const open = await tidy.open();
  const [user, clients] = await open.atomically([lookCommand(principal), ['CLIENT', 'LIST']]);
  const sessions = clientsIn(clients).filter((client) => client.user === principal).length;
  return { state: stateIn(user), sessions, runId: open.life.runId };
}
