import fc from 'fast-check';
import { v7 } from 'uuid';
import { asIssuers, issuerOf, issuersOf, MOST_ISSUERS } from './issuer.js';

const LEASE = '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88';

it('names the first issuer as the only one was named', () => {
  expect(issuersOf(1)).toEqual(['mayfly_issuer']);
  expect(issuersOf(3)).toEqual(['mayfly_issuer', 'mayfly_issuer_1', 'mayfly_issuer_2']);
});

const leaseOf = (madeAtMs: number) => v7({ msecs: madeAtMs });

it('gives a lease the same issuer whoever asks, and one of those there are', () => {
  expect(issuerOf(LEASE, 1)).toBe('mayfly_issuer');
  expect(issuerOf(LEASE, 64)).toBe('mayfly_issuer_14');
  fc.assert(
    fc.property(fc.uuid({ version: 7 }), fc.integer({ min: 1, max: MOST_ISSUERS }), (leaseId, shards) => {
      expect(issuersOf(shards)).toContain(issuerOf(leaseId, shards));
    }),
  );
});

it('gives leases of one moment the same issuer, and each issuer its turn', () => {
  const turns = [0, 100, 511, 512, 1_024, 63 * 512, 64 * 512].map((ms) => issuerOf(leaseOf(ms), 64));

  expect(turns).toEqual([
    ...['mayfly_issuer', 'mayfly_issuer', 'mayfly_issuer'],
    ...['mayfly_issuer_1', 'mayfly_issuer_2', 'mayfly_issuer_63', 'mayfly_issuer'],
  ]);
});

it('asks for the creator among all issuers there can be, whatever the setting says today', () => {
  const sql = asIssuers(['kdev01', 'kdev02'], 'NULL;');
  expect(sql).toContain("ARRAY['kdev01', 'kdev02']");
  for (const issuer of issuersOf(MOST_ISSUERS)) expect(sql).toContain(`'${issuer}'`);
});
