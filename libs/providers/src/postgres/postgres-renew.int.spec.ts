/** Renewal at a real server: the end moves, and a cut that meets it on the way wins. */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Plan } from '../provider.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spn');
  superuser = await target.superuser();
});
afterAll(() => target.close());

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const LAG_MS = 5_000;
async function roleOf({ principal }: Plan) {
  const { rows } = await superuser.query<{ until: Date; login: boolean }>(
    'SELECT rolvaliduntil AS until, rolcanlogin AS login FROM pg_roles WHERE rolname = $1',
    [principal],
  );
  return rows[0];
}

it('logs in past its first end, when the server lets nobody else in any more', async () => {
  const [renewed, left] = [target.plan({ notAfter: inMs(800) }), target.plan({ notAfter: inMs(800) })];
  const [kept, lost] = [await target.created(renewed), await target.created(left)];
  // In time, however long the creates took.
  const inTime = { ...renewed, notAfter: inMs(60_000) };
  expect(await target.broker.renew(inTime, inMs(180_000))).toEqual({ answer: 'renewed' });
  await sleep(800 + LAG_MS);

  await expect(target.session(lost)).rejects.toMatchObject({ code: '28P01' });
  const session = await target.session(kept);
  await session.query('SELECT count(*) FROM crm.orders');
});

it('moves the end and nothing else, and never back', async () => {
  const plan = target.plan();
  await target.created(plan);
  const notAfter = inMs(200_000);
  await target.broker.renew(plan, notAfter);
  await target.broker.renew(plan, inMs(150_000));

  expect(await roleOf(plan)).toEqual({ until: new Date(Date.parse(notAfter) + LAG_MS), login: true });
});

it('gives nobody a login whose role has none', async () => {
  const plan = target.plan();
  await target.created(plan);
  await superuser.query(`ALTER ROLE ${plan.principal} NOLOGIN`);

  expect(await target.broker.renew(plan, inMs(200_000))).toMatchObject({ code: 'ERR_LEASE_FENCED' });
  expect(await roleOf(plan)).toEqual({ until: new Date(Date.parse(plan.notAfter) + LAG_MS), login: false });
});

it('holds up no cut, and takes nothing of it back, however they meet', async () => {
  for (let round = 0; round < 10; round += 1) {
    const plan = target.plan();
    await target.created(plan);
    const renewals = [1, 2, 3].map((n) => target.broker.renew(plan, inMs(150_000 + n * 1_000)));
    const report = await target.revoker.cut(plan);
    await Promise.all(renewals);

    expect(report.emptyObservations).toBeGreaterThanOrEqual(2);
    expect((await roleOf(plan))?.login).toBe(false);
  }
});
