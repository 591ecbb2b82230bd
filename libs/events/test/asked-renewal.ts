/** The lease of the fixture, four minutes later: its agent asks to keep it. */
import { decideCall } from '../src/call.js';
import { leaseOf, type Lease } from '../src/lease.js';
import { decideRenewal, type Renewal, type RenewalFacts } from '../src/renew-lease.js';
import { evolve, type Task } from '../src/task.js';
import { ANALYST, call, callFacts, catalogue, judge, LEASE, NOW, openTask, sender, TASK } from './fixture.js';

export const MINUTE = 60_000;
/** What the judge of the fixture permits: five minutes; the target would give ten, the task lasts an hour. */
export const POLICY_TTL = 300_000;
export const LATER = NOW + 4 * MINUTE;
export const iso = (ms: number) => new Date(ms).toISOString();

export function calledTask(task = openTask()): Task {
  const decided = decideCall(call(), sender(ANALYST), callFacts({ task }));
  if (decided.is !== 'decided') throw new Error('the call of the fixture was rejected');
  return evolve(task, decided.decided);
}

export function issuedLease(task = openTask(), ancestors: readonly Task[] = []): Lease {
  const decided = decideCall(call({ taskId: task.taskId }), sender(ANALYST), callFacts({ task, ancestors }));
  if (decided.is !== 'decided' || decided.intended === null)
    throw new Error('the call of the fixture was denied');
  return { ...leaseOf(decided.intended), state: 'issued' };
}

export const facts = (change: Partial<RenewalFacts> = {}): RenewalFacts => ({
  task: calledTask(),
  ancestors: [],
  catalogue,
  judge: judge(),
  sealKeyThumbprint: 'thumbprint of the seal key',
  nowMs: LATER,
  renewable: renewable(),
  extendedToMs: null,
  ...change,
});
export const renewable = (lease: Lease = issuedLease()) => ({
  lease,
  intended: { target: 'shop', rights: ['pol_orders_read'] },
  call: call(),
});
export const asked: Renewal = { taskId: TASK, leaseId: LEASE };
export const decide = (change: Partial<RenewalFacts> = {}, renewal = asked, by = ANALYST) =>
  decideRenewal(renewal, sender(by), facts(change));
export const codeOf = (change: Partial<RenewalFacts>, renewal = asked) => {
  const decided = decide(change, renewal);
  return decided.is === 'refused' ? decided.event.data.code : decided.is;
};
export const endOf = (change: Partial<RenewalFacts> = {}, renewal = asked) => {
  const decided = decide(change, renewal);
  return decided.is === 'granted' ? Date.parse(decided.event.data.notAfter) - LATER : decided;
};
