import { isSameOrder, roleRefusal, unknownRefusal, type RevocationOrder } from './revocation-order.js';
import type { Role } from './catalogue.js';

const operators = new Map<string, { roles: Role[] }>([
  ['user:nadia@corp.example', { roles: ['operator'] }],
  ['user:olga@corp.example', { roles: ['approver'] }],
  ['spiffe://dev.mayfly/operator/dev', { roles: ['operator', 'auditor'] }],
]);
const order: RevocationOrder = {
  ...{ orderId: 'o', scope: 'task', subject: 't', by: 'user:nadia@corp.example', reason: 'seen' },
};

it('orders are given by people who are operators', () => {
  expect(roleRefusal('user:nadia@corp.example', operators)).toBeNull();
});

it.each(['user:olga@corp.example', 'user:maria@corp.example', 'spiffe://dev.mayfly/operator/dev'])(
  'and not by %s',
  (by) => {
    expect(roleRefusal(by, operators)?.code).toBe('ERR_NOT_ENTITLED');
  },
);

it('each subject that is not known has a code of its own', () => {
  const codes = (['lease', 'task', 'agent', 'target'] as const).map((scope) => unknownRefusal(scope).code);

  expect(codes).toEqual(['ERR_LEASE_UNKNOWN', 'ERR_TASK_UNKNOWN', 'ERR_AGENT_UNKNOWN', 'ERR_TARGET_UNKNOWN']);
});

it('the same order may be said in other words, of nothing else and by nobody else', () => {
  const inOtherWords = { ...order, reason: 'in other words' };

  expect(isSameOrder(order, inOtherWords)).toBe(true);
  expect(isSameOrder(order, { ...order, subject: 'u' })).toBe(false);
  expect(isSameOrder(order, { ...order, scope: 'lease' })).toBe(false);
  expect(isSameOrder(order, { ...order, by: 'user:olga@corp.example' })).toBe(false);
});
