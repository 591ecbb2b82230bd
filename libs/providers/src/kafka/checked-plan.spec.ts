import { principalOf } from '../principal-name.js';
import type { Plan } from '../provider.js';
import { checkCreate, checkPlan, checkRenewal } from './checked-plan.js';
import { kafkaSettings } from './settings.js';

const settings = kafkaSettings.parse({
  id: 'events',
  provider: 'kafka',
  maxTtlMs: '300000',
  connection: { brokers: 'kafka.example:9093' },
  login: { user: 'mayfly_broker', password: 'x' },
  namespace: 'dev',
});
const leaseId = '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88';
const plan: Plan = {
  leaseId,
  provider: 'kafka',
  target: 'events',
  principal: principalOf('dev', leaseId),
  rights: ['read:topic:crm.orders', 'own-groups'],
  createBy: '2026-03-01T10:00:10Z',
  notAfter: '2026-03-01T10:02:00Z',
  hardEnd: '2026-03-01T12:00:00+01:00',
};
const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
  return 'accepted';
};

it('makes one ACL of each right', () => {
  expect(checkCreate(plan, settings)).toEqual({
    leaseId,
    principal: plan.principal,
    bindings: [
      { resourceType: 2, resourceName: 'crm.orders', resourcePatternType: 3, operation: 3 },
      { resourceType: 3, resourceName: plan.principal, resourcePatternType: 4, operation: 3 },
    ],
    createByMs: Date.UTC(2026, 2, 1, 10, 0, 10),
  });
});

it.each<[string, Partial<Plan>, string]>([
  ['a right that Kafka has no word for', { rights: ['pol_orders'] }, 'a right cannot be expressed at Kafka'],
  [
    'one right too wide among others',
    { rights: ['read:topic:a', 'read:topic:*'] },
    'a right cannot be expressed at Kafka',
  ],
  ['no rights', { rights: [] }, 'expected 1 to 16 rights'],
  ['a right twice', { rights: ['own-groups', 'own-groups'] }, 'a right is named twice'],
  ['a time that is none', { createBy: 'tomorrow' }, 'createBy is not an RFC 3339 time'],
  ['an end after the hard end', { hardEnd: '2026-03-01T10:00:30Z' }, 'notAfter is later than hardEnd'],
  [
    'a lease that is too long',
    { notAfter: '2026-03-01T10:05:11Z' },
    'lease is longer than the target allows',
  ],
  ['another target', { target: 'other' }, 'plan is for another target'],
  ['another kind', { provider: 'postgres' }, 'plan is for another target'],
  ['a lease id that is none', { leaseId: 'x' }, 'lease id is not a lower-case UUIDv7'],
  ['another lease’s name', { principal: 'admin' }, 'principal is not the name of this lease'],
])('does not create with %s', (_what, change, message) => {
  expect(refusal(() => checkCreate({ ...plan, ...change }, settings))).toBe(`ERR_PLAN_INVALID: ${message}`);
});

it('cuts whatever the rights and times of the plan are', () => {
  const odd = { ...plan, rights: ['*'], createBy: 'x', notAfter: 'x', hardEnd: 'x' };
  expect(checkPlan(odd, settings)).toEqual({ leaseId, principal: plan.principal });
});

it('renews up to the hard end, and no longer than the target allows', () => {
  expect(checkRenewal(plan, '2026-03-01T10:07:00Z', settings).renewByMs).toBe(Date.parse(plan.notAfter));
  expect(refusal(() => checkRenewal(plan, '2026-03-01T10:07:01Z', settings))).toMatch(
    'longer than the target',
  );
  const soonOver = { ...plan, hardEnd: '2026-03-01T10:03:00Z' };
  expect(refusal(() => checkRenewal(soonOver, '2026-03-01T10:04:00Z', settings))).toMatch(
    'later than hardEnd',
  );
});
