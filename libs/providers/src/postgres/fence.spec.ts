import { fenceMessage } from './fence.js';

const lease = (leaseId: string, principal: string) => ({
  leaseId,
  principal,
  keepFenceUntil: '2026-03-02T11:00:00.000Z',
});
const early = lease('019356a4-0000-7000-8000-000000000000', 'kdev01');
const late = lease('019356a4-ffff-7000-8000-000000000000', 'kdev02');

it('fences every lease once, in one order, and takes their logins away in the same transaction', () => {
  const message = fenceMessage([late, early, late]);
  expect(message).toBe(fenceMessage([early, late]));
  expect(message.indexOf(early.leaseId)).toBeLessThan(message.indexOf(late.leaseId));
  expect(message).toContain("ARRAY['kdev01', 'kdev02']");
  expect(message.indexOf('ALTER ROLE')).toBeLessThan(message.indexOf('COMMIT'));
  expect(message.startsWith('BEGIN;')).toBe(true);
  expect(message.endsWith(';\nCOMMIT')).toBe(true);
});

it('writes the fence before it becomes an issuer, who may not', () => {
  const message = fenceMessage([early]);
  expect(message.indexOf('INSERT INTO mayfly.fence')).toBeLessThan(message.indexOf("set_config('role'"));
});
