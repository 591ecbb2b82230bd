/**
 * Fences go once no create of their leases can come any more. How that is known: a create leaves within a minute of its lease's birth,
 * on a connection that is open by then; so whatever could still bring one is closed before, in the same step, as the server sees it.
 */
import type { Log } from '#telemetry/log.js';
import { clientsIn, type ClientLine, type Command } from './acl.js';
import { bornAtMs, CREATED_WITHIN_MS } from './checked-plan.js';
import { nameOf } from './connection.js';
import { isThere, namesAt } from './list.js';
import type { Node } from './nodes.js';

/** A fence is kept for this long after the birth of its lease. */
export const FENCED_FOR_MS = 600_000;
/** Connections that create are closed by their own side before they are so old. One that is not belongs to a sender that stands still. */
export const STALE_AFTER_MS = FENCED_FOR_MS - 2 * CREATED_WITHIN_MS;
const PRUNE_EVERY_MS = 60_000;
/** That one command takes away: the server looks through its connections for each. */
const AT_ONCE = 50;

export class Pruner {
  readonly #nextAtMs = new Map<Node, number>();

  constructor(
    private readonly namespace: string,
    private readonly log: Log,
  ) {}

  /** At most once a minute on each node. What fails is done another time: it is only a matter of memory. Never rejects. */
  async prune(nodes: readonly Node[], nowMs = Date.now()): Promise<void> {
    const due = nodes.filter((node) => (this.#nextAtMs.get(node) ?? 0) <= nowMs);
    for (const node of due) this.#nextAtMs.set(node, nowMs + PRUNE_EVERY_MS);
    await Promise.all(
      due.map((node) =>
        pruneNode(node, this.namespace, nowMs).catch((error: unknown) =>
          this.log.warn({ err: error, node: node.tidy.node }, 'fences could not be pruned'),
        ),
      ),
    );
  }
}

/** @returns how many fences have gone. @throws ProviderError, or as `Open.send` */
export async function pruneNode(node: Node, namespace: string, nowMs: number): Promise<number> {
  const names = await namesAt(node, namespace);
  const old = names.filter(({ leaseId }) => bornAtMs(leaseId) + FENCED_FOR_MS < nowMs);
  let gone = 0;
  for (let i = 0; i < old.length; i += AT_ONCE)
    gone += await pruneSome(node, namespace, old.slice(i, i + AT_ONCE));
  return gone;
}

async function pruneSome(
  node: Node,
  namespace: string,
  old: readonly { principal: string }[],
): Promise<number> {
  const there = await isThere(node, old);
  // Whoever is only a fence stays one, whatever comes between.
  const fences = old.filter((_, i) => there[i] === false).map(({ principal }) => principal);
  if (fences.length === 0) return 0;
  const [clients] = await node.tidy.send([['CLIENT', 'LIST']]);
  const closes = staleOf(clientsIn(clients), namespace).map((id): Command => ['CLIENT', 'KILL', 'ID', id]);
  await node.tidy.atomically([...closes, ['ACL', 'DELUSER', ...fences]]);
  return fences.length;
}

/** Connections that could still bring what a fence of that age refuses. */
export const staleOf = (clients: readonly ClientLine[], namespace: string): string[] =>
  clients
    .filter(({ name, ageS }) => name === nameOf(namespace, 'create') && ageS * 1_000 >= STALE_AFTER_MS)
    .map(({ id }) => id);
