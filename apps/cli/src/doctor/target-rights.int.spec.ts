import type pg from 'pg';
import { openSampleTarget } from '#providers/postgres/sample-target.contract.js';
import type { SampleTarget } from '#providers/postgres/sample-target.contract.js';
import { lookAt } from './servers.js';
import { policyRolesFinding, rightsFinding } from './target-rights.js';

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
    await expect(rightsFinding(login, superuser, 'mayfly_issuer')).resolves.toMatchObject({ status: 'ok' });
  });

  it.each([
    ['mayfly_broker', 'REVOKE SELECT ON mayfly.fence FROM mayfly_broker', 'amiss: reads the fence'],
    ['mayfly_broker', 'GRANT pg_signal_backend TO mayfly_broker', "amiss: cannot end others' sessions"],
    [
      'mayfly_broker',
      'GRANT UPDATE ON mayfly.fence TO mayfly_issuer',
      'amiss: the creator role fences what it makes, and cannot lift a fence',
    ],
    ['mayfly_revoker', 'REVOKE pg_signal_backend FROM mayfly_revoker', 'amiss: ends sessions'],
    [
      'mayfly_revoker',
      'REVOKE mayfly_issuer FROM mayfly_revoker',
      'amiss: may act as the creator role, and is not it by default',
    ],
  ] as const)('finds for %s what this did: %s', async (login, sql, seen) => {
    await superuser.query(sql);
    await become(login);
    await expect(rightsFinding(login, superuser, 'mayfly_issuer')).resolves.toMatchObject({
      status: 'fail',
      seen,
    });
  });

  it('names the policy roles that cannot be lent', async () => {
    await superuser.query('CREATE ROLE pol_spec_unlent NOLOGIN');
    await become('mayfly_broker');
    const roles = ['pol_crm_orders_read', 'pol_spec_unlent', 'pol_spec_missing'];
    await expect(policyRolesFinding(superuser, 'mayfly_issuer', roles)).resolves.toMatchObject({
      status: 'fail',
      seen: 'cannot be lent: pol_spec_unlent, pol_spec_missing',
    });
    await expect(policyRolesFinding(superuser, 'mayfly_issuer', roles.slice(0, 1))).resolves.toMatchObject({
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
