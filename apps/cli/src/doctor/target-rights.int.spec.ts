import type pg from 'pg';
import { issuersOf } from '#providers/postgres/issuer.js';
import { openSampleTarget } from '#providers/postgres/sample-target.contract.js';
import type { SampleTarget } from '#providers/postgres/sample-target.contract.js';
import { lookAt } from './servers.js';
import { policyRolesFinding, rightsFinding } from './target-rights.js';

const ISSUERS = issuersOf(8);

/** What is taken away is taken away in a transaction that is rolled back: other specs use the same cluster. */
describe('doctor, rights at the target', () => {
  let target: SampleTarget;
  let superuser: pg.Client;

  beforeAll(async () => {
    target = await openSampleTarget('cl2');
    superuser = await target.superuser();
  });
  afterAll(() => target.close());
  beforeEach(() => superuser.query('BEGIN'));
  afterEach(() => superuser.query('ROLLBACK'));
  const become = (login: string) => superuser.query(`SET LOCAL SESSION AUTHORIZATION ${login}`);

  it.each(['mayfly_broker', 'mayfly_revoker'] as const)('finds those of %s complete', async (login) => {
    await become(login);
    await expect(rightsFinding(login, superuser, ISSUERS)).resolves.toMatchObject({ status: 'ok' });
  });

  it.each([
    ['mayfly_broker', 'REVOKE SELECT ON mayfly.fence FROM mayfly_broker', 'amiss: reads the fence'],
    ['mayfly_broker', 'GRANT pg_signal_backend TO mayfly_broker', "amiss: cannot end others' sessions"],
    [
      'mayfly_broker',
      'GRANT UPDATE ON mayfly.fence TO mayfly_issuer_3',
      'amiss: mayfly_issuer_3 fences what it makes, and cannot lift a fence',
    ],
    ['mayfly_revoker', 'REVOKE pg_signal_backend FROM mayfly_revoker', 'amiss: ends sessions'],
    [
      'mayfly_revoker',
      'REVOKE mayfly_issuer_7 FROM mayfly_revoker',
      'amiss: mayfly_issuer_7 may be acted as, and is not so by default',
    ],
  ] as const)('finds for %s what this did: %s', async (login, sql, seen) => {
    await superuser.query(sql);
    await become(login);
    await expect(rightsFinding(login, superuser, ISSUERS)).resolves.toMatchObject({
      status: 'fail',
      seen,
    });
  });

  it('names the issuer that the settings count and the target lacks', async () => {
    await become('mayfly_broker');
    await expect(rightsFinding('mayfly_broker', superuser, issuersOf(9))).resolves.toMatchObject({
      status: 'fail',
      seen: 'role mayfly_issuer_8 is missing',
    });
  });

  it('names the policy roles that cannot be lent', async () => {
    await superuser.query('CREATE ROLE pol_spec_unlent NOLOGIN');
    await become('mayfly_broker');
    const roles = ['pol_crm_orders_read', 'pol_spec_unlent', 'pol_spec_missing'];
    await expect(policyRolesFinding(superuser, ISSUERS, roles)).resolves.toMatchObject({
      status: 'fail',
      seen: 'cannot be lent: pol_spec_unlent, pol_spec_missing',
    });
    await expect(policyRolesFinding(superuser, ISSUERS, roles.slice(0, 1))).resolves.toMatchObject({
      status: 'ok',
    });
  });

  it('names the issuers that cannot lend a policy role, where others can', async () => {
    const lenders = ISSUERS.filter((issuer) => issuer !== 'mayfly_issuer_2' && issuer !== 'mayfly_issuer_5');
    await superuser.query('CREATE ROLE pol_spec_unlent NOLOGIN');
    await superuser.query(`GRANT pol_spec_unlent TO ${lenders.join(', ')} WITH ADMIN TRUE`);
    await become('mayfly_broker');
    await expect(policyRolesFinding(superuser, ISSUERS, ['pol_spec_unlent'])).resolves.toMatchObject({
      status: 'fail',
      seen: 'cannot be lent: pol_spec_unlent by mayfly_issuer_2 and mayfly_issuer_5',
    });
    await expect(policyRolesFinding(superuser, issuersOf(2), ['pol_spec_unlent'])).resolves.toMatchObject({
      status: 'ok',
    });
  });

  it('lets the broker see which cluster it is, and its clock', async () => {
    await become('mayfly_broker');
    const seen = await lookAt(superuser);
    expect(seen.systemIdentifier).toMatch(/^\d+$/);
    expect(Math.abs(seen.skewMs)).toBeLessThanOrEqual(1_000);
  });
});
