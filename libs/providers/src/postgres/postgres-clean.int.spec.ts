/** What is cleaned away after a cut on PostgreSQL, and what is kept. */
import type pg from 'pg';
import type { Plan } from '../provider.js';
import { issuerOf } from './issuer.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spd');
  superuser = await target.superuser();
});
afterAll(() => target.close());

const plan = (change?: Partial<Plan>) => target.plan(change);

describe('clean', () => {
  it('drops a principal that owns something, and keeps what it owned', async () => {
    const wanted = plan();
    const issuer = issuerOf(wanted.leaseId, target.brokerSettings.issuerShards);
    const session = await target.session(await target.created(wanted));
    const { rows } = await session.query<{ oid: number }>("SELECT lo_from_bytea(0, 'kept') AS oid");
    await target.revoker.cut(wanted);

    expect(await target.revoker.clean(wanted)).toMatchObject({ state: 'absent' });

    const owner = await superuser.query(
      'SELECT lomowner::regrole::text AS owner FROM pg_largeobject_metadata WHERE oid = $1',
      [rows[0]?.oid],
    );
    expect(owner.rows).toEqual([{ owner: issuer }]);
    await superuser.query('SELECT lo_unlink($1)', [rows[0]?.oid]);
  });

  it('drops many in one message, and tells of each by itself why it is still there', async () => {
    const made = Array.from({ length: 20 }, () => plan());
    const [, owning, uncut] = made as [Plan, Plan, Plan];
    for (const each of made) await target.created(each);
    const { rows } = await superuser.query<{ oid: number }>("SELECT lo_from_bytea(0, 'kept') AS oid");
    await superuser.query(`ALTER LARGE OBJECT ${rows[0]?.oid} OWNER TO ${owning.principal}`);
    for (const each of made) if (each !== uncut) await target.revoker.cut(each);

    const cleaned = await Promise.allSettled(made.map((each) => target.revoker.clean(each)));

    expect(cleaned.map(({ status }) => status)).toEqual(
      made.map((each) => (each === uncut ? 'rejected' : 'fulfilled')),
    );
    expect(cleaned[2]).toMatchObject({ reason: { code: 'ERR_TARGET_REFUSED' } });
    const left = await superuser.query('SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)', [
      made.map(({ principal }) => principal),
    ]);
    expect(left.rows).toEqual([{ rolname: uncut.principal }]);
    await superuser.query('SELECT lo_unlink($1)', [rows[0]?.oid]);
    await target.revoker.cut(uncut);
    expect(await target.revoker.clean(uncut)).toMatchObject({ state: 'absent' });
  });

  it('prunes fence rows whose time is over, and no others', async () => {
    const [old, young] = [plan(), plan()];
    await target.revoker.cut(old);
    await superuser.query(
      `UPDATE mayfly.fence SET keep_until = now() - interval '1 second' WHERE lease_id = $1`,
      [old.leaseId],
    );
    await target.created(young);
    await target.revoker.cut(young);
    await target.revoker.clean(young);
    const { rows } = await superuser.query('SELECT lease_id FROM mayfly.fence WHERE lease_id = ANY ($1)', [
      [old.leaseId, young.leaseId],
    ]);
    expect(rows).toEqual([{ lease_id: young.leaseId }]);
  });
});
