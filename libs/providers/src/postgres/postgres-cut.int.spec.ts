/** What an agent can try with a session that is open while its lease is cut on PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Plan } from '../provider.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spc');
  superuser = await target.superuser();
});
afterAll(() => target.close());

const plan = (change?: Partial<Plan>) => target.plan(change);

describe('a session that is open when its lease is cut', () => {
  const opened: [string, (session: pg.Client) => Promise<unknown>][] = [
    [
      'with a temporary table',
      (session) => session.query('CREATE TEMP TABLE mine AS SELECT * FROM crm.orders'),
    ],
    [
      'with an open cursor',
      (session) =>
        session.query('BEGIN; DECLARE all_orders CURSOR FOR SELECT * FROM crm.orders; FETCH 10 all_orders'),
    ],
    [
      'with a held cursor',
      (session) => session.query('DECLARE kept CURSOR WITH HOLD FOR SELECT * FROM crm.orders'),
    ],
    [
      'with an open large object',
      (session) => session.query("BEGIN; SELECT lo_open(lo_from_bytea(0, 'mine'), x'60000'::int)"),
    ],
    ['in a failed transaction', (session) => session.query('BEGIN; SELECT 1/0').catch(() => undefined)],
    [
      'in the middle of a long query',
      (session) => Promise.resolve(void session.query('SELECT pg_sleep(60)').catch(() => undefined)),
    ],
    [
      'holding its own row of pg_authid',
      (session) => session.query("BEGIN; ALTER ROLE CURRENT_USER PASSWORD 'mine'"),
    ],
  ];
  // A prepared transaction that holds the role's row stands in the way just so, where the target allows them.
  it('dies even where somebody beyond us keeps the login from being taken', async () => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    await superuser.query(`BEGIN; ALTER ROLE ${wanted.principal} CONNECTION LIMIT 3`);

    await expect(target.revoker.cut(wanted)).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });

    await expect(session.query('SELECT 1')).rejects.toThrow();
    await superuser.query('ROLLBACK');
    expect((await target.revoker.cut(wanted)).observation).toMatchObject({ state: 'disabled', sessions: 0 });
  });

  it.each(opened)('dies %s', async (_what, prepare) => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    await prepare(session);

    const report = await target.revoker.cut(wanted);

    expect(report.observation).toMatchObject({ state: 'disabled', sessions: 0 });
    await expect(session.query('SELECT 1')).rejects.toThrow();
    expect(await target.revoker.clean(wanted)).toMatchObject({ state: 'absent', sessions: 0 });
  });

  it.each([
    ['of a policy role to it', (principal: string) => `GRANT ${target.policyRole} TO ${principal}`],
    ['of a table to it', (principal: string) => `GRANT SELECT ON crm.products TO ${principal}`],
    ['of it to somebody', (principal: string) => `GRANT ${principal} TO providers_spec_holder`],
  ])('does not outlive the cut though a GRANT %s is under way', async (_what, grantOf) => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    // A superuser's, whom the revoker cannot end: what the cut had to wait for would keep it from its end.
    await superuser.query(`BEGIN; ${grantOf(wanted.principal)}`);

    const report = await target.revoker.cut(wanted);

    expect(report.observation).toMatchObject({ state: 'disabled', sessions: 0 });
    await expect(session.query('SELECT 1')).rejects.toThrow();
    await superuser.query('ROLLBACK');
    expect(await target.revoker.clean(wanted)).toMatchObject({ state: 'absent' });
  });

  it('dies though somebody dropped its role before', async () => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    await session.query('SELECT 1');
    await superuser.query(`DROP ROLE ${wanted.principal}`);
    expect(await target.revoker.observe(wanted)).toMatchObject({ state: 'live', sessions: 1 });

    const report = await target.revoker.cut(wanted);

    expect(report).toMatchObject({ sessionsEnded: 1, observation: { state: 'absent', sessions: 0 } });
    await expect(session.query('SELECT 1')).rejects.toThrow();
  });

  it('is of no use where its login was let in before the cut, and is seen only after the proof', async () => {
    const wanted = plan();
    const { host, port, database, user, password } = (await target.created(wanted)).connection;
    const late = new pg.Client({
      ...{ host, port, database, user, password: password.reveal(), ssl: false },
      // Anybody may ask for it: so many seconds after the look at the role, and before the session is seen.
      options: '-c post_auth_delay=2',
    });
    late.on('error', () => undefined);
    const read = late.connect().then(() => late.query('SELECT count(*) FROM crm.orders'));
    read.catch(() => undefined);
    await untilTrue(LET_IN);

    expect((await target.revoker.cut(wanted)).observation).toMatchObject({ state: 'disabled', sessions: 0 });

    await expect(read).rejects.toThrow();
    expect(await target.revoker.clean(wanted)).toMatchObject({ state: 'absent', sessions: 0 });
    await late.end();
  });

  it('dies with all its siblings, in every database', async () => {
    const wanted = plan();
    const credential = await target.created(wanted);
    const sessions = await Promise.all([1, 2, 3, 4].map(() => target.session(credential)));
    await expect(target.session(credential)).rejects.toThrow('too many connections for role');

    expect((await target.revoker.cut(wanted)).sessionsEnded).toBe(4);

    for (const session of sessions) await expect(session.query('SELECT 1')).rejects.toThrow();
  });
});

/** Somebody is in a database already, and nobody says who. */
const LET_IN = `SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'object' AND l.classid = 'pg_database'::regclass AND a.usesysid IS NULL AND a.datid IS NULL`;

async function untilTrue(query: string): Promise<void> {
  while (!(await superuser.query(query)).rowCount) await sleep(5);
}
