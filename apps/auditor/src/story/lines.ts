/** One sentence for each type of event. A new type does not compile until it has one. */
import { CATALOGUE_KINDS } from '#events/catalogue-events.js';
import type { InboundType } from '#events/inbound.js';
import type { CREDENTIAL_DELIVERED, DeliveryType, OutboundType } from '#events/outbound.js';
import type { Json } from '../leaf/project.js';
import { Facts, nameOf } from './facts.js';

/** @param who the authenticated sender of an inbound event, by name. */
type Line = (facts: Facts, who: string) => string;

const NOTHING: ReadonlyMap<string, unknown> = new Map();
const inner = (value: Json): Facts => new Facts(value, NOTHING);

const act = (f: Facts): string =>
  f.has('dataset')
    ? `${f.text('action')} ${f.text('dataset')} with ${f.text('tool')}`
    : `${f.text('action')} with ${f.text('tool')}`;
const seconds = (ms: string): string => `${Number(ms) / 1_000} s`;

function rights(f: Facts): string {
  const each = f.list('declared').map((item) => {
    const one = inner(item);
    const actions = one.list('actions').map(String).join('+');
    return `${one.text('tool')}${one.has('dataset') ? `/${one.text('dataset')}` : ''} ${actions}`;
  });
  return each.join(', ');
}

/** Why: the failed checks, with the policies that decided. */
function because(f: Facts): string {
  const failed = f
    .list('checks')
    .map(inner)
    .filter((check) => check.text('ok') === 'false')
    .map((check) => {
      const policies = check.list('policies').map(String).join(', ');
      return policies === '' ? check.text('check') : `${check.text('check')} by ${policies}`;
    });
  const code = f.has('code') ? [f.text('code')] : [];
  const reasons = [...code, ...failed].join('; ');
  return reasons === '' ? '' : ` (${reasons})`;
}

const datasets = (f: Facts): string =>
  f
    .list('reaches')
    .map((reach) => inner(reach).text('dataset'))
    .join(', ');

/** What an order is about. */
const ordered = (f: Facts): string =>
  f.has('subject') ? `the ${f.text('scope')} ${nameOf(f.text('subject'))}` : 'everything';

const idOf = (id: Json): string => (typeof id === 'string' ? nameOf(id) : '?');

/** Ids that were added, removed and changed, with those that the event leaves out. */
function changed(f: Facts, ...path: string[]): string {
  const lists = ['added', 'removed', 'changed'].flatMap((verb) => {
    const ids = f.list(...path, verb).map(idOf);
    return ids.length === 0 ? [] : [`${verb} ${ids.join(', ')}`];
  });
  return [...lists, ...(f.has(...path, 'more') ? [`and ${f.text(...path, 'more')} more`] : [])].join('; ');
}

export const inboundLines: Record<InboundType, Line> = {
  'task.started': (f, who) =>
    `${who} declares the task ${f.sealed('/purpose')} for ${nameOf(f.text('principal', 'id'))}: ${rights(f)}; ` +
    `risk ${f.text('risk')}; until ${f.text('deadline')}`,
  'task.amended': (f, who) =>
    `${who} amends the task${f.has('rekey') ? ` and has ${nameOf(f.text('rekey'))} re-keyed` : ''}`,
  'task.ended': (f, who) => `${who} ends the task: ${f.text('outcome')}`,
  'tool.called': (f, who) => `${who} asks to ${act(f)}`,
  'tool.completed': (f, who) =>
    `${who} reports the call as ${f.text('outcome')}${f.has('rows') ? `, ${f.text('rows')} rows` : ''}`,
  'lease.renewal_requested': (_f, who) => `${who} asks to renew a lease`,
};

export const outboundLines: Record<OutboundType, Line> = {
  'event.rejected': (f) =>
    f.has('count')
      ? `so many more events are refused: ${f.text('count')}, ${f.text('code')}`
      : `an event is refused: ${f.text('code')}${f.has('record', 'ceType') ? ` (${f.text('record', 'ceType')})` : ''}`,
  'task.accepted': (f) => `the task is accepted, generation ${f.text('generation')}`,
  'task.refused': (f) => `the task is refused: ${f.text('code')}`,
  'task.amended': (f) => {
    const what = f.text('cause') === 'rekeyed' ? '' : `: ${rights(f)}; until ${f.text('deadline')}`;
    const key = f.has('rekeyed') ? `; ${nameOf(f.text('rekeyed'))} goes on with another key` : '';
    return `the task is amended, generation ${f.text('generation')}${what}${key}`;
  },
  'task.amendment_refused': (f) => `the amendment is refused: ${f.text('code')}`,
  'task.suspended': (f) =>
    f.text('cause') === 'operator'
      ? `${nameOf(f.text('actor'))} suspends the task, generation ${f.text('generation')}: ${f.sealed('/reason')}`
      : `the task is suspended (${f.text('cause')}), generation ${f.text('generation')}`,
  'task.resumed': (f) =>
    ['operator', 'drift'].includes(f.text('cause'))
      ? `${nameOf(f.text('actor'))} lets the task go on after its suspension (${f.text('cause')}): ${f.sealed('/reason')}`
      : `the task goes on after its suspension (${f.text('cause')})`,
  'task.revoked': (f) =>
    `what the task was lent is revoked by ${nameOf(f.text('actor'))}, generation ${f.text('generation')}: ${f.sealed('/reason')}`,
  'task.order_rejected': (f) =>
    `${nameOf(f.text('by'))} may not ${f.text('order')} the task: ${f.text('code')}`,
  'task.ended': (f) => `the task is over: ${f.text('outcome')}`,
  'call.decided': (f) => {
    const ask = `${nameOf(f.text('agent'))} may ${act(f)}`;
    if (f.text('decision') !== 'permit') return `${f.text('decision')}: ${ask}${because(f)}`;
    const ttl = f.has('obligations', 'ttlMs') ? ` for ${seconds(f.text('obligations', 'ttlMs'))}` : '';
    // Policy said yes, and the target gives nothing for now.
    const code = f.has('code') ? `, and nothing is lent: ${f.text('code')}` : '';
    return `permit: ${ask}${ttl}${code}`;
  },
  'drift.signalled': (f) =>
    `${nameOf(f.text('agent'))} drifts from the task: ${f.text('signal')}, ` +
    `${f.text('count')} so far; score ${f.text('score')} of 100`,
  'approval.requested': (f) =>
    `${nameOf(f.text('agent'))} needs an approval (${f.text('approval')}) to ${act(f)}, until ${f.text('expiresAt')}: ` +
    `it would stand for ${f.text('binds', 'what') === 'this_call' ? 'this call' : `these rights for ${f.text('binds', 'seconds')} s`}`,
  'approval.granted': (f) =>
    `${nameOf(f.text('by'))} grants the approval (${f.text('granted')} of ${f.text('needed')})`,
  'approval.refused': (f) => `${nameOf(f.text('by'))} refuses the approval`,
  'approval.expired': (f) => `the approval is over unused: ${f.text('why')}`,
  'approval.consumed': () => 'the approval is used, once, for this lease',
  'approval.withdrawn': (f) => `${nameOf(f.text('by'))} withdraws the approval`,
  'approval.answer_rejected': (f) =>
    `${nameOf(f.text('by'))} may not ${f.text('answer')} the approval: ${f.text('code')}`,
  'break_glass.used': (f) => `BREAK GLASS: ${nameOf(f.text('by'))} gives the approval alone`,
  'lease.intended': (f) =>
    `a ${f.text('provider')} credential is intended at ${f.text('target')}: ${f.text('principal')}, until ${f.text('notAfter')}`,
  'lease.issued': (f) =>
    `the credential is issued to ${nameOf(f.text('agent'))}, until ${f.text('notAfter')}`,
  'lease.abandoned': () => 'the lease is abandoned before it was issued',
  'lease.revocation_requested': (f) => `the access is to be cut: ${f.text('cause')}`,
  'lease.access_cut': (f) =>
    `the access is cut ${f.text('exposureMs')} ms after its cause (${f.text('cause')}): ` +
    `seen ${f.text('evidence', 'state')} ${f.text('evidence', 'observations')} times, ` +
    `sessions ended: ${f.text('evidence', 'sessionsEnded')}`,
  'lease.removed': () => 'the principal is removed from the target',
  'lease.revocation_unproven': (f) =>
    `the cut is not proven yet after ${f.text('attempts')} attempts: ${f.text('code')}` +
    (f.has('exposureMs') ? `, ${f.text('exposureMs')} ms after its cause` : ''),
  'lease.renewed': (f) => `the lease of ${nameOf(f.text('agent'))} is renewed, until ${f.text('notAfter')}`,
  'lease.renewal_refused': (f) =>
    `the lease of ${nameOf(f.text('agent'))} is not renewed and runs out${because(f)}`,
  'lease.returned': (f) => `${nameOf(f.text('agent'))} gives the credential back`,
  'lease.vanished': () => 'the principal vanished from the target',
  'revocation.ordered': (f) =>
    `${nameOf(f.text('by'))} orders to revoke ${ordered(f)}: ${f.sealed('/reason')}`,
  'revocation.proven': (f) =>
    `the order to revoke ${ordered(f)} is carried out, and proven; leases: ${f.text('leases')}`,
  'revocation.order_rejected': (f) =>
    `${nameOf(f.text('by'))} may not ${f.text('order')} ${ordered(f)}: ${f.text('code')}`,
  'agent.revoked': (f) =>
    `${nameOf(f.text('by'))} revokes ${nameOf(f.text('agent'))}: ${f.sealed('/reason')}`,
  'agent.reinstated': (f) =>
    `${nameOf(f.text('by'))} reinstates ${nameOf(f.text('agent'))}: ${f.sealed('/reason')}`,
  'dead_letter.parked': (f) => {
    const what = `${f.text('group')} ${f.text('letterId')}`;
    if (f.has('by'))
      return `${nameOf(f.text('by'))} has the parked record ${what} tried again: ${f.text('code')}`;
    return f.text('why') === 'behind'
      ? `a record waits behind one that is parked: ${what}`
      : `a record cannot be handled and is parked: ${what}, ${f.text('code')}`;
  },
  'dead_letter.released': (f) =>
    `${nameOf(f.text('by'))} has the parked record ${f.text('group')} ${f.text('letterId')} ${f.text('how')}`,
  'orphan.found': (f) =>
    `a principal that no lease explains is found at ${f.text('target')}: ${f.text('principal')}`,
  'orphan.cut': (f) =>
    `its access is proven cut, ${f.text('exposureMs')} ms after it was found at ${f.text('target')}: ${f.text('principal')}`,
  'target.restarted': (f) =>
    `the target ${f.text('target')} was started again, or restored: what is there is compared with the ledger`,
  'standing_access.found': (f) =>
    `${nameOf(f.text('principal'))} can reach ${datasets(f)} at ${f.text('target')} without a lease: ` +
    `${f.list('ways').map(String).join(', ')}${f.text('neverExpires') === 'true' ? ', never expires' : ''}`,
  'standing_access.gone': (f) =>
    f.text('why') === 'allowed'
      ? `${nameOf(f.text('principal'))} may be at ${f.text('target')} without a lease until ${f.text('review')}: ${f.sealed('/reason')}`
      : `${nameOf(f.text('principal'))} can reach nothing that is governed at ${f.text('target')} any more`,
  'store.restored': (f) =>
    f.text('swept') === 'true'
      ? `every target was swept after the restore of the ${f.text('service')}'s database`
      : `the database of the ${f.text('service')} was restored from an older state`,
  'signing_key.rotated': (f) =>
    `the ${f.text('service')} signs tokens with the key ${f.text('kid')} (${f.text('why')})` +
    (f.has('compromised') ? `; the key ${f.text('compromised')} is compromised` : ''),
  'target_account.rotated': (f) =>
    `the account ${f.text('account')} of the ${f.text('service')} at ${f.text('target')} has another password (${f.text('why')})`,
  'policy.activated': (f) =>
    `${f.text('policies')} policies decide from now on: ${changed(f) || 'the schema is another'} (${nameOf(f.text('by'))})`,
  'catalogue.activated': (f) => {
    const kinds = CATALOGUE_KINDS.filter((kind) => f.has('changes', kind));
    const changes = kinds.map((kind) => `${kind}: ${changed(f, 'changes', kind)}`);
    return `another catalogue is gone by from now on: ${changes.join('; ') || 'nothing in it is different'} (${nameOf(f.text('by'))})`;
  },
  'access.read': (f) => `${nameOf(f.text('reader'))} reads the audit`,
};

export const deliveryLines: Record<DeliveryType | typeof CREDENTIAL_DELIVERED, Line> = {
  'credential.delivered': () => 'the credential is delivered, sealed',
  'lease.ended': (f) => `the agent is told that its lease has ended: ${f.text('cause')}`,
  'lease.renewed': (f) => `the agent is told that its lease is renewed, until ${f.text('notAfter')}`,
  'lease.renewal_refused': (f) => `the agent is told that its lease is not renewed: ${f.text('code')}`,
  'call.refused': (f) => `the agent is told that its call is refused: ${f.text('code')}`,
  'call.pending': () => 'the agent is told that its call waits for an approval',
};

/** What verifiers are told. */
export const revocationLine: Line = (f) => {
  const told = 'verifiers are told that';
  switch (f.text('what')) {
    case 'lease':
      return `${told} the lease is dead`;
    case 'agent':
      return `${told} what ${nameOf(f.text('id'))} got is dead`;
    case 'key':
      return `${told} what the key ${f.text('id')} signed is dead`;
    default:
      return f.has('generationBelow')
        ? `${told} what the task got before generation ${f.text('generationBelow')} is dead`
        : `${told} the task is dead`;
  }
};
