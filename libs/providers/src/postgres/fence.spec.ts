import { fenceMessage } from './fence.js';

const lease = (leaseId: string, principal: string) => ({
  leaseId,
  principal,
  keepFenceUntil: '2026-03-02T11:00:00.000Z',
});
const early = lease('019356a4-0000-7000-8000-000000000000', 'kdev01');
const late = lease('019356a4-ffff-7000-8000-000000000000', 'kdev02');

it('fences every lease once, in one order, and takes their logins away in the same transaction', () => {
  const message = fenceMessage([late, early, late], 'mayfly_issuer');
  expect(message).toBe(fenceMessage([early, late], 'mayfly_issuer'));
  expect(message.indexOf(early.leaseId)).toBeLessThan(message.indexOf(late.leaseId));
  expect(message.match(/ALTER ROLE/g)).toHaveLength(2);
  expect(message.startsWith('BEGIN;')).toBe(true);
  expect(message.endsWith(';\nCOMMIT')).toBe(true);
});

it('writes the fence before it becomes the issuer, who may not', () => {
  const message = fenceMessage([early], 'mayfly_issuer');
  expect(message.indexOf('INSERT INTO mayfly.fence')).toBeLessThan(message.indexOf('SET LOCAL ROLE'));
});
