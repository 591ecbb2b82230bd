/** Several issuers at one target: whoever created a principal, it is cut and dropped, and no issuer reaches another's. */
import pg from 'pg';
import { v7 } from 'uuid';
import type { Plan } from '../provider.js';
import type { PostgresSettings } from './settings.js';
import { checkCreate, checkPlan } from './checked-plan.js';
import { createMessage } from './create-message.js';
import { fenceMessage } from './fence.js';
import { issuerOf, issuersOf, MOST_ISSUERS } from './issuer.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';

const ISSUERS = issuersOf(MOST_ISSUERS);
const INSUFFICIENT_PRIVILEGE = { code: '42501' };
let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spi');
  superuser = await target.superuser();
});
afterAll(() => target.close());

/** A plan whose lease is this issuer's: made in its turn, a moment ago. */
function planFor(issuer: string): Plan {
  for (let msecs = Date.now(); ; msecs -= 100) {
    const leaseId = v7({ msecs });
    if (issuerOf(leaseId, MOST_ISSUERS) === issuer) return target.plan({ leaseId });
  }
}
const planForEach = (): Plan[] => ISSUERS.map(planFor);

async function creatorOf({ principal }: Plan): Promise<string[]> {
  const { rows } = await superuser.query<{ creator: string }>(
    'SELECT member::regrole::text AS creator FROM pg_auth_members WHERE roleid = $1::regrole AND admin_option',
    [principal],
  );
  return rows.map(({ creator }) => creator);
}

async function loggedIn({ connection, login }: PostgresSettings): Promise<pg.Client> {
  const { host, port, database } = connection;
  const client = new pg.Client({
    host,
    port,
    database,
    user: login.user,
    password: login.password.reveal(),
    ssl: false,
  });
  await client.connect();
  return client;
}
const asRevoker = () => loggedIn(target.revokerSettings);

/** As a broker creates that is set to other issuers. */
async function createdBy(issuer: string, plan: Plan): Promise<void> {
  const broker = await loggedIn(target.brokerSettings);
  const checked = checkCreate(plan, target.brokerSettings);
  await broker.query(
    createMessage([{ plan: checked, verifier: scramVerifier(randomSecret()) }], issuer, 60_000),
  );
  await broker.end();
}

async function withLogin(plans: readonly Plan[]): Promise<number> {
  const { rowCount } = await superuser.query(
    'SELECT FROM pg_roles WHERE rolname = ANY ($1) AND rolcanlogin',
    [plans.map(({ principal }) => principal)],
  );
  return rowCount ?? 0;
}

it('creates each principal as the issuer that its lease says', async () => {
  for (const [i, plan] of planForEach().entries()) {
    await target.created(plan);
    expect(await creatorOf(plan)).toEqual([ISSUERS[i]]);
  }
});

it('cuts principals of all issuers with one message, which a second revoker may send at the same time', async () => {
  const plans = planForEach();
  for (const plan of plans) await target.created(plan);
  const checked = plans.map((plan) => checkPlan(plan, target.revokerSettings));
  expect(await withLogin(plans)).toBe(MOST_ISSUERS);

  const revokers = await Promise.all([asRevoker(), asRevoker()]);
  await Promise.all(
    revokers.map((revoker, i) => revoker.query(fenceMessage(i === 0 ? checked : checked.toReversed()))),
  );

  expect(await withLogin(plans)).toBe(0);
  for (const revoker of revokers) {
    // The role it became ended with the transaction.
    expect((await revoker.query('SELECT current_user = session_user AS itself')).rows).toEqual([
      { itself: true },
    ]);
    await revoker.end();
  }
});

it('ends sessions of principals of all issuers, and drops them', async () => {
  const plans = planForEach();
  const sessions = [];
  for (const plan of plans) sessions.push(await target.session(await target.created(plan)));

  const reports = await Promise.all(plans.map((plan) => target.revoker.cut(plan)));
  const cleaned = await Promise.all(plans.map((plan) => target.revoker.clean(plan)));

  for (const { sessionsEnded, observation } of reports) {
    expect(sessionsEnded).toBe(1);
    expect(observation).toMatchObject({ state: 'disabled', sessions: 0 });
  }
  for (const observation of cleaned) expect(observation).toMatchObject({ state: 'absent', sessions: 0 });
  for (const session of sessions) await expect(session.query('SELECT 1')).rejects.toThrow();
});

it.each([
  ['before there were several', 'mayfly_issuer'],
  ['when the setting was another', 'mayfly_issuer_5'],
])('cuts and drops what was made %s', async (_when, issuer) => {
  const plan = planFor('mayfly_issuer_2');
  await createdBy(issuer, plan);
  expect(await creatorOf(plan)).toEqual([issuer]);

  expect((await target.revoker.cut(plan)).observation).toMatchObject({ state: 'disabled', sessions: 0 });
  expect(await target.revoker.clean(plan)).toMatchObject({ state: 'absent' });
});

it('leaves a role alone that no issuer made, and says so', async () => {
  const [plan, other] = [planFor('mayfly_issuer'), planFor('mayfly_issuer_4')];
  await superuser.query(`CREATE ROLE ${plan.principal} LOGIN`);
  await target.created(other);

  const [report, { observation }] = await Promise.all([target.revoker.cut(plan), target.revoker.cut(other)]);
  expect(report.observation.state).toBe('live');
  expect(observation.state).toBe('disabled');

  await superuser.query(`ALTER ROLE ${plan.principal} NOLOGIN`);
  await expect(target.revoker.clean(plan)).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });
  await superuser.query(`DROP ROLE ${plan.principal}`);
});

it('keeps each issuer from the principals of the others', async () => {
  const plan = planFor('mayfly_issuer_3');
  await target.created(plan);
  const revoker = await asRevoker();
  for (const issuer of ISSUERS.filter((name) => name !== 'mayfly_issuer_3')) {
    await revoker.query(`SET ROLE ${issuer}`);
    for (const statement of [
      `ALTER ROLE ${plan.principal} NOLOGIN`,
      `GRANT ${plan.principal} TO ${issuer}`,
      `DROP ROLE ${plan.principal}`,
      'SELECT 1 FROM crm.orders',
    ]) {
      await expect(revoker.query(statement)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    }
  }
  await revoker.end();
  expect((await target.revoker.observe(plan)).state).toBe('live');
});

it('refuses those of one message that may not be made, and makes the others', async () => {
  const plans = planForEach();
  const [fenced, taken] = plans as [Plan, Plan];
  await target.revoker.cut(fenced);
  await superuser.query(`CREATE ROLE ${taken.principal} NOLOGIN`);

  // The first goes alone; the others gather behind it.
  const first = target.broker.create(planFor('mayfly_issuer'));
  const answers = await Promise.all(plans.map((plan) => target.broker.create(plan)));
  expect((await first).answer).toBe('created');

  const [ofFenced, ofTaken, ...others] = answers;
  expect(ofFenced).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
  expect(ofTaken).toEqual({ answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' });
  for (const { answer } of others) expect(answer).toBe('created');
  expect(await withLogin(plans)).toBe(plans.length - 2);
  // All of one message are one issuer's, whose the first of them is.
  const creators = await Promise.all(plans.slice(2, 9).map(creatorOf));
  expect(new Set(creators.flat()).size).toBeLessThan(4);
  await superuser.query(`DROP ROLE ${taken.principal}`);
});

it('refuses all of a message whose right is missing, and makes nothing', async () => {
  const plans = planForEach().map((plan) => ({ ...plan, rights: ['pol_missing'] }));
  const answers = await Promise.all(plans.map((plan) => target.broker.create(plan)));
  for (const answer of answers)
    expect(answer).toEqual({ answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' });
  expect(await withLogin(plans)).toBe(0);
});
