/** Our principals on all nodes, by name: the namespace says that they are ours, the name says whose lease they are. */
import { leaseIdOf } from '../principal-name.js';
import { lookCommand, stateIn, type Reply } from './acl.js';
import { asProviderError } from './errors.js';
import type { Node } from './nodes.js';

/** A server does what is sent together in one go, and Redis 7.0 takes long to describe a user. */
const PAGE = 25;

/** Those that are on any node, once. What is only a fence is none. @throws ProviderError where a node cannot be asked: half a list is none */
export async function* list(
  nodes: readonly Node[],
  namespace: string,
): AsyncGenerator<{ principal: string; leaseId: string }> {
  const told = new Set<string>();
  for (const node of nodes) {
    const names = await namesAt(node, namespace);
    for (let i = 0; i < names.length; i += PAGE) {
      const page = names.slice(i, i + PAGE).filter(({ principal }) => !told.has(principal));
      const there = await isThere(node, page);
      for (const [n, each] of page.entries()) {
        if (there[n] !== true) continue;
        told.add(each.principal);
        yield each;
      }
    }
  }
}

/** Users of ours at one node, fences among them. @throws ProviderError */
export async function namesAt(
  { tidy }: Node,
  namespace: string,
): Promise<{ principal: string; leaseId: string }[]> {
  const [users] = await answered(() => tidy.send([['ACL', 'USERS']]));
  if (!Array.isArray(users)) throw asProviderError(new Error('users were not listed'));
  return users.flatMap((user) => {
    const leaseId = typeof user === 'string' ? leaseIdOf(namespace, user) : null;
    return typeof user === 'string' && leaseId !== null ? [{ principal: user, leaseId }] : [];
  });
}

/** For each, whether it is more than a fence. @throws ProviderError */
export async function isThere({ tidy }: Node, page: readonly { principal: string }[]): Promise<boolean[]> {
  const users = await answered(() => tidy.send(page.map(({ principal }) => lookCommand(principal))));
  return users.map((user) => stateIn(user) !== 'absent');
}

async function answered(ask: () => Promise<Reply[]>): Promise<Reply[]> {
  try {
    return await ask();
  } catch (error) {
    throw asProviderError(error);
  }
}
