import { heldAt, type LeaseRecord } from './held-access.js';

const LEASE = '01928c5e-0000-7000-8000-000000000003';
const at = (minute: number) => `2026-11-24T12:${String(minute).padStart(2, '0')}:00.000Z`;
const atMs = (minute: number) => Date.parse(at(minute));
const said = (service: string, type: string, event: object) => ({
  service,
  type,
  event: { leaseId: LEASE, ...event },
});

const decided = said('broker', 'call.decided', {
  ...{ decision: 'permit', tool: 'sql.query', dataset: 'crm.orders', action: 'read', at: at(0) },
});
const intended = said('broker', 'lease.intended', {
  target: 'shop',
  principal: 'mayfly_x',
  rights: ['r1'],
  at: at(0),
});
const issued = said('broker', 'lease.issued', {
  ...{ taskId: 't', tenant: 'corp', agent: 'spiffe://a', at: at(1), notAfter: at(10) },
});
const renewed = said('broker', 'lease.renewed', { at: at(8), notAfter: at(20) });
const cut = said('revoker', 'lease.access_cut', { at: at(6), cutAt: at(5), cause: 'task_ended' });
const accepted = said('broker', 'task.accepted', { principal: { id: 'person:abc', kind: 'human' } });

const record = (...envelopes: object[]): LeaseRecord => ({
  leaseId: LEASE,
  told: envelopes.map((envelope, i) => ({ seq: BigInt(i), envelope: envelope as never })),
  complete: true,
});
const minutes = (lease: LeaseRecord) =>
  Array.from({ length: 22 }, (_, minute) => minute).filter(
    (minute) => heldAt(lease, atMs(minute)) !== undefined,
  );
const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i);

it('is held from when it was issued until it runs out', () => {
  expect(minutes(record(issued))).toEqual(range(1, 10));
});

it('is held until access was proven cut, not until the proof was told', () => {
  expect(minutes(record(issued, cut))).toEqual(range(1, 5));
});

it('is held longer once it was renewed, and as it stood before', () => {
  const lease = record(issued, renewed);
  expect(minutes(lease)).toEqual(range(1, 20));
  expect(heldAt(lease, atMs(7))?.until).toBe(at(10));
  expect(heldAt(lease, atMs(9))?.until).toBe(at(20));
});

it('ran out before somebody came to cut it', () => {
  const late = said('revoker', 'lease.access_cut', { cutAt: at(15), cause: 'expired' });
  expect(minutes(record(issued, late))).toEqual(range(1, 10));
  expect(heldAt(record(issued, late), atMs(2))).toMatchObject({ until: at(10), cause: null });
});

it('says whose it was, for what, and which entries say so', () => {
  expect(heldAt(record(accepted, decided, intended, issued, cut), atMs(2))).toEqual({
    ...{ leaseId: LEASE, taskId: 't', tenant: 'corp', principal: 'person:abc', agent: 'spiffe://a' },
    ...{
      tool: 'sql.query',
      dataset: 'crm.orders',
      action: 'read',
      target: 'shop',
      account: 'mayfly_x',
      rights: ['r1'],
    },
    ...{ from: at(1), until: at(5), cause: 'task_ended', complete: true },
    entries: { decided: 1, issued: 3, cut: 4 },
  });
});

it('takes nobody’s word for an end or a beginning but that of the service whose it is', () => {
  expect(minutes(record(issued, { ...cut, service: 'broker' }))).toEqual(range(1, 10));
  expect(minutes(record({ ...issued, service: 'revoker' }))).toEqual([]);
  expect(minutes(record(issued, { ...renewed, service: 'revoker' }))).toEqual(range(1, 10));
});

it('is not held where it never was issued, or the log does not say until when', () => {
  expect(minutes(record(decided, intended))).toEqual([]);
  expect(minutes(record(said('broker', 'lease.issued', { at: at(1) })))).toEqual([]);
});
