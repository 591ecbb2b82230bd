/** An order, and leases, in words. */
import type { ShownLease, ShownOrder } from './shown-order.js';

const many = (n: number) => (n === 1 ? '1 lease' : `${n} leases`);

/** What is proven first; then, by name, what is not. */
export function orderText({ orderId, scope, subject, state, leases, due }: ShownOrder): string {
  const proven = leases.cut + leases.removed;
  const lines = [
    `order ${orderId}: ${scope === 'all' ? 'everything' : `${scope} ${subject ?? ''}`}`,
    `${STATES[state]}: ${many(leases.found)}, ${proven} proven cut, ${leases.removed} of them removed` +
      (leases.due === 0 ? '' : `; ${leases.due} NOT PROVEN`),
    ...due.map((lease) => `  ${dueText(lease)}`),
    ...(leases.due > due.length ? [`  and ${leases.due - due.length} more`] : []),
  ];
  return lines.join('\n');
}

const STATES: Record<ShownOrder['state'], string> = {
  ordered: 'being looked for',
  cutting: 'being cut',
  checking: 'cut, and the bus is still being read',
  proven: 'proven',
};

function dueText({ leaseId, target, agent, attempts, exposureMs }: ShownOrder['due'][number]): string {
  const tried = attempts === 0 ? 'not tried yet' : `failed ${attempts} times`;
  const where = target === undefined ? 'its target is not known yet' : `at ${target}`;
  const whose = agent === undefined ? '' : `, of ${agent}`;
  return `${leaseId} ${where}${whose}: ${tried}, exposed for ${(exposureMs / 1_000).toFixed(1)} s`;
}

export function leaseLine({
  leaseId,
  state,
  issued,
  agent,
  target,
  principal,
  notAfter,
  revocation,
}: ShownLease) {
  const what = [
    state === 'live' && !issued ? 'intended' : state,
    agent ?? '-',
    target ?? '-',
    principal ?? '-',
    state === 'live' ? `until ${notAfter ?? '?'}` : (revocation?.cause ?? ''),
  ];
  return `${leaseId}  ${what.join('  ')}`;
}
