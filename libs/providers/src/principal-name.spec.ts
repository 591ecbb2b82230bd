import fc from 'fast-check';
import { isLeaseId } from './lease-id.js';
import { leaseIdOf, principalOf } from './principal-name.js';

const LEASE = '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88';

it('is `k`, the namespace and 26 Crockford digits', () => {
  expect(principalOf('dev', LEASE)).toBe('kdev01jdba979ffgrrp7jf18p6tzm8');
});

it('reads back to the lease', () => {
  fc.assert(
    fc.property(fc.uuid({ version: 7 }), (leaseId) => {
      const principal = principalOf('a0z', leaseId);
      expect(principal).toMatch(/^ka0z[0-7][0-9a-hjkmnp-tv-z]{25}$/);
      expect(leaseIdOf('a0z', principal)).toBe(leaseId);
    }),
  );
});

it('sorts as leases do, by time', () => {
  const later = '019356a4-9d30-7000-8000-000000000000';
  expect(principalOf('dev', LEASE) < principalOf('dev', later)).toBe(true);
});

it.each([
  ['another namespace', 'kdew01jdba979ffgrrp7jf18p6tzm8'],
  ['a letter that Crockford leaves out', 'kdev01jdba979ffgrrp7jf18p6tzmu'],
  ['upper case', 'kdev01JDBA979FFGRRP7JF18P6TZM8'],
  ['too many bits', 'kdevz1jdba979ffgrrp7jf18p6tzm8'],
  ['too short', 'kdev01'],
  ['a UUID of another version', principalOf('dev', LEASE).slice(0, 14) + '0'.repeat(16)],
  ['nothing', ''],
])('does not read %s as a lease', (_what, principal) => {
  expect(leaseIdOf('dev', principal)).toBeNull();
});

it('makes no name of what is not a lower-case UUIDv7', () => {
  for (const text of [LEASE.toUpperCase(), '019356a4-9d2f-4c31-8b1e-4f0a2c6d7e88', `${LEASE}'`, '']) {
    expect(isLeaseId(text)).toBe(false);
    expect(() => principalOf('dev', text)).toThrow(RangeError);
  }
});
