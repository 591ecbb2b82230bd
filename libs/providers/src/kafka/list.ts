/** Our principals at the target, by name: whoever has an ACL or a credential, so also what a create left half done. */
import { leaseIdOf } from '../principal-name.js';
import type { Cluster } from './cluster.js';
import { allowedBy, credentialsOf } from './look.js';

/** In order of name, which is the order of creation. @throws ProviderError */
export async function* list(
  cluster: Cluster,
  namespace: string,
): AsyncGenerator<{ principal: string; leaseId: string }> {
  const { answers } = await cluster.everywhere('tidy', (line) =>
    Promise.all([allowedBy(line, null), credentialsOf(line, null)]),
  );
  const names = new Set(answers.flat().flatMap((found) => [...found.keys()]));
  for (const principal of [...names].toSorted()) {
    const leaseId = leaseIdOf(namespace, principal);
    if (leaseId !== null) yield { principal, leaseId };
  }
}
