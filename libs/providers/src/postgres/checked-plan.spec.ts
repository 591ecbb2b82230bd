import type { Plan } from '../provider.js';
import { postgresSettings } from './settings.js';
import { checkCreate, checkPlan } from './checked-plan.js';
import { principalOf } from '../principal-name.js';

const settings = postgresSettings.parse({
  id: 'shop',
  provider: 'postgres',
  maxTtlMs: '300000',
  connection: { host: '127.0.0.1', port: '5432', database: 'shop', tls: { mode: 'disable' } },
  login: { user: 'mayfly_broker', password: 'x' },
  namespace: 'dev',
});
const leaseId = '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88';
const plan: Plan = {
  leaseId,
  provider: 'postgres',
  target: 'shop',
  principal: principalOf('dev', leaseId),
  rights: ['pol_b', 'pol_a'],
  createBy: '2026-03-01T10:00:10Z',
  notAfter: '2026-03-01T10:02:00Z',
  hardEnd: '2026-03-01T11:00:00+01:00',
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

it('sorts the rights, lengthens VALID UNTIL a little and keeps the fence a day', () => {
  const later = { ...plan, hardEnd: '2026-03-01T12:00:00+01:00' };
  expect(checkCreate(later, settings)).toEqual({
    leaseId,
    principal: plan.principal,
    rights: ['pol_a', 'pol_b'],
    createByMs: Date.UTC(2026, 2, 1, 10, 0, 10),
    createBy: '2026-03-01T10:00:10.000Z',
    validUntil: '2026-03-01T10:02:05.000Z',
    keepFenceUntil: '2026-03-02T11:00:00.000Z',
  });
});

it.each<[string, Partial<Plan>, string]>([
  ['a quote in a right', { rights: ['pol"a'] }, 'a right is not the name of a policy role'],
  ['an upper-case right', { rights: ['Pol'] }, 'a right is not the name of a policy role'],
  ['a right of 64 characters', { rights: ['p'.repeat(64)] }, 'a right is not the name of a policy role'],
  ['a role of the server', { rights: ['pg_read_all_data'] }, 'a right is not the name of a policy role'],
  ['a role of ours', { rights: ['mayfly_issuer'] }, 'a right is not the name of a policy role'],
  ['another role of ours', { rights: ['mayfly_issuer_7'] }, 'a right is not the name of a policy role'],
  ['no rights', { rights: [] }, 'expected 1 to 16 rights'],
  ['a right twice', { rights: ['pol_a', 'pol_a'] }, 'a right is named twice'],
  ['a time that is none', { createBy: 'tomorrow' }, 'createBy is not an RFC 3339 time'],
  ['a day that is none', { notAfter: '2026-13-01T00:00:00Z' }, 'notAfter is not an RFC 3339 time'],
  [
    'an end after the hard end',
    { notAfter: '2026-03-01T10:00:01Z', hardEnd: '2026-03-01T10:00:00Z' },
    'notAfter is later than hardEnd',
  ],
  [
    'a lease that is too long',
    { notAfter: '2026-03-01T10:05:11Z', hardEnd: '2026-03-01T12:00:00Z' },
    'lease is longer than the target allows',
  ],
  ['another target', { target: 'other' }, 'plan is for another target'],
  ['a lease id that is none', { leaseId: 'x' }, 'lease id is not a lower-case UUIDv7'],
  [
    'another lease’s name',
    { principal: 'kdev00000000000000000000000000' },
    'principal is not the name of this lease',
  ],
])('does not create with %s', (_what, change, message) => {
  const changed = { ...plan, hardEnd: '2026-03-01T12:00:00Z', ...change };
  expect(refusal(() => checkCreate(changed, settings))).toBe(`ERR_PLAN_INVALID: ${message}`);
});

it('cuts whatever the rights and times of the plan are', () => {
  const odd = { ...plan, rights: ['"'], createBy: 'x', notAfter: 'x' };
  expect(checkPlan(odd, settings).principal).toBe(plan.principal);
});
