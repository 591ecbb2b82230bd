import type { RevocationRecord } from '#events/revocations.js';
import { sessionEnded } from './session-ended.js';

const NOW_MS = Date.parse('2026-11-24T19:00:00.000Z');
const ISSUER = 'https://broker.example';
const record: RevocationRecord = {
  ...{ seq: 7, what: 'task', id: 'task-1', generationBelow: null, reason: 'task_ended' },
  notAfter: '2026-11-24T20:00:00.000Z',
};
const told = (change: Partial<RevocationRecord>, causedBy: string | null = 'end-1') =>
  sessionEnded({ ...record, ...change }, causedBy, ISSUER, NOW_MS);

it('is told of a task as a whole, under a number that is given once, with what led to it', () => {
  expect(told({})).toEqual({
    jti: 'mayfly-revocation-7',
    txn: 'end-1',
    revoked: { what: 'task', taskId: 'task-1', generationBelow: null },
    reason: 'task_ended',
    initiatingEntity: 'system',
    eventTimestamp: NOW_MS / 1_000,
  });
});

it('is told of the generations of a task that are dead', () => {
  expect(told({ generationBelow: 3, reason: 'parked' })?.revoked).toMatchObject({ generationBelow: 3 });
});

it('is told of a lease by the name of its token', () => {
  expect(told({ what: 'lease', id: 'lease-1', reason: 'returned' }, null)).toMatchObject({
    revoked: { what: 'lease', issuer: ISSUER, leaseId: 'lease-1' },
    txn: 'mayfly-revocation-7',
  });
});

it.each([
  ['operator', 'admin'],
  ['agent_revoked', 'admin'],
  ['deadline', 'policy'],
  ['suspended', 'system'],
])('is, after %s, the doing of %s', (reason, entity) => {
  expect(told({ what: 'lease', reason })?.initiatingEntity).toBe(entity);
});

it.each([
  [{ what: 'agent' as const }],
  [{ what: 'key' as const }],
  [{ what: 'lease' as const, reason: 'expired' }],
])('is not told of %j', (change) => {
  expect(told(change)).toBeNull();
});
