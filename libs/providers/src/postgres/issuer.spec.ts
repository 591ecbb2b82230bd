import fc from 'fast-check';
import { asIssuers, issuerOf, issuersOf } from './issuer.js';

const LEASE = '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88';

it('names the first issuer as the only one was named', () => {
  expect(issuersOf(1)).toEqual(['mayfly_issuer']);
  expect(issuersOf(3)).toEqual(['mayfly_issuer', 'mayfly_issuer_1', 'mayfly_issuer_2']);
});

it('gives a lease the same issuer whoever asks, and one of those there are', () => {
  expect(issuerOf(LEASE, 1)).toBe('mayfly_issuer');
  expect(issuerOf(LEASE, 7)).toBe('mayfly_issuer_6');
  expect(issuerOf(LEASE, 8)).toBe('mayfly_issuer');
  expect(issuerOf('019356a4-9d2f-7c31-8b1e-4f0a2c6d7e8f', 8)).toBe('mayfly_issuer_7');
  fc.assert(
    fc.property(fc.uuid({ version: 7 }), fc.integer({ min: 1, max: 8 }), (leaseId, shards) => {
      expect(issuersOf(shards)).toContain(issuerOf(leaseId, shards));
    }),
  );
});

it('asks for the creator among all issuers there can be, whatever the setting says today', () => {
  const sql = asIssuers(['kdev01', 'kdev02'], 'NULL;');
  expect(sql).toContain("ARRAY['kdev01', 'kdev02']");
  for (const issuer of issuersOf(8)) expect(sql).toContain(`'${issuer}'`);
});
