/** Least privilege at the target: what an agent, the broker and the revoker can and cannot do. */
import { inspect } from 'node:util';
import pg from 'pg';
import type { PostgresSettings } from './settings.js';
import type { Plan } from '../provider.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';

let target: SampleTarget;
let superuser: pg.Client;
let broker: pg.Client;
let revoker: pg.Client;
const plan = (change?: Partial<Plan>) => target.plan({ rights: ['pol_crm_orders_read'], ...change });
const INSUFFICIENT_PRIVILEGE = { code: '42501' };

beforeAll(async () => {
  target = await openSampleTarget('spr');
  superuser = await target.superuser();
  broker = await loggedIn(target.brokerSettings);
  revoker = await loggedIn(target.revokerSettings);
});
afterAll(async () => {
  await Promise.all([broker.end(), revoker.end()]);
  await target.close();
});

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

describe('an agent', () => {
  it('reads what its one right permits and writes nothing', async () => {
    const session = await target.session(await target.created(plan()));
    expect((await session.query('SELECT count(*)::int AS n FROM crm.orders')).rows).toEqual([{ n: 6000 }]);
    for (const statement of [
      'UPDATE crm.orders SET quantity = 1 WHERE id = 1',
      'DELETE FROM crm.orders',
      'SELECT 1 FROM crm.customers',
      'SELECT 1 FROM hr.salaries',
      'SELECT 1 FROM mayfly.fence',
      'CREATE TABLE public.mine (id int)',
      'CREATE ROLE another',
    ]) {
      await expect(session.query(statement)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    }
  });

  it('has two rights when the plan says two', async () => {
    const credential = await target.created(
      plan({ rights: ['pol_crm_orders_write', 'pol_hr_salaries_read'] }),
    );
    const session = await target.session(credential);
    await session.query('UPDATE crm.orders SET quantity = quantity WHERE id = 1');
    await session.query('SELECT count(*) FROM hr.salaries');
    await expect(session.query('SELECT 1 FROM crm.customers')).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
  });

  it('sees only the rows of its policy role', async () => {
    const session = await target.session(await target.created(plan({ rights: ['pol_crm_customers_read'] })));
    const { rows } = await session.query('SELECT DISTINCT region FROM crm.customers');
    expect(rows).toEqual([{ region: 'EU' }]);
  });

  it('cannot become its policy role, the issuer or a login of ours', async () => {
    const session = await target.session(await target.created(plan()));
    for (const role of ['pol_crm_orders_read', 'mayfly_issuer', 'mayfly_broker', 'mayfly_revoker']) {
      await expect(session.query(`SET ROLE ${role}`)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    }
  });

  it('cannot lengthen its life or pass its rights on', async () => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    for (const statement of [
      `ALTER ROLE ${wanted.principal} VALID UNTIL 'infinity'`,
      `ALTER ROLE ${wanted.principal} CONNECTION LIMIT 100`,
      `GRANT pol_crm_orders_read TO PUBLIC`,
      `GRANT pol_crm_orders_read TO legacy_etl`,
      `GRANT ${wanted.principal} TO legacy_etl`,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mayfly%'`,
    ]) {
      await expect(session.query(statement)).rejects.toThrow();
    }
  });

  it('has an end of its own at the target, a little after its lease', async () => {
    const wanted = plan();
    await target.created(wanted);
    const { rows } = await superuser.query(
      'SELECT rolvaliduntil AS until, rolconnlimit AS connections, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS mighty FROM pg_roles WHERE rolname = $1',
      [wanted.principal],
    );
    expect(rows).toEqual([
      { until: new Date(Date.parse(wanted.notAfter) + 5_000), connections: 4, mighty: false },
    ]);
  });

  it('cannot enter another database', async () => {
    const credential = await target.created(plan());
    credential.connection.database = 'postgres';
    await expect(target.session(credential)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
  });
});

describe('the login of the broker', () => {
  it('cannot end a session', async () => {
    const wanted = plan();
    const session = await target.session(await target.created(wanted));
    await expect(
      broker.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [
        wanted.principal,
      ]),
    ).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    await session.query('SELECT 1');
  });

  it('cannot read data, password hashes or other sessions’ queries', async () => {
    for (const statement of [
      'SELECT 1 FROM crm.orders',
      'SELECT 1 FROM hr.salaries',
      'SELECT rolpassword FROM pg_authid',
      'SET ROLE pol_crm_orders_read',
    ]) {
      await expect(broker.query(statement)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    }
    const { rows } = await broker.query<{ query: string }>(
      'SELECT query FROM pg_stat_activity WHERE usename <> session_user',
    );
    for (const { query } of rows) expect(query).toBe('<insufficient privilege>');
  });

  it('cannot undo a cut, as itself or as the issuer', async () => {
    const wanted = plan();
    await target.revoker.cut(wanted);
    for (const role of ['NONE', 'mayfly_issuer']) {
      await broker.query(`SET ROLE ${role}`);
      for (const statement of [
        `UPDATE mayfly.fence SET state = 'created'`,
        'DELETE FROM mayfly.fence',
        'TRUNCATE mayfly.fence',
        `INSERT INTO mayfly.fence (lease_id, principal, state, keep_until) VALUES (gen_random_uuid(), 'x', 'cut', now())`,
      ]) {
        await expect(broker.query(statement)).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
      }
    }
    await broker.query('RESET ROLE');
  });

  it('cuts nothing: the fence is the revoker’s', async () => {
    const wanted = plan();
    await target.created(wanted);
    await expect(target.broker.cut(wanted)).rejects.toMatchObject({ code: 'ERR_TARGET_MISCONFIGURED' });
    expect((await target.broker.observe(wanted)).state).toBe('live');
  });

  it('is told that a policy role is missing', async () => {
    expect(await target.broker.create(plan({ rights: ['pol_that_is_not_there'] }))).toEqual({
      answer: 'refused',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
    expect(await target.broker.create(plan({ rights: ['legacy_etl'] }))).toEqual({
      answer: 'refused',
      code: 'ERR_TARGET_MISCONFIGURED',
    });
  });
});

describe('the login of the revoker', () => {
  it('cannot read data or end a superuser’s session', async () => {
    await expect(revoker.query('SELECT 1 FROM crm.orders')).rejects.toMatchObject(INSUFFICIENT_PRIVILEGE);
    const { rows } = await superuser.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await expect(revoker.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid])).rejects.toMatchObject(
      INSUFFICIENT_PRIVILEGE,
    );
  });
});

describe('the secret', () => {
  it('is in no statement that the server shows, in no log line and in no print of the answer', async () => {
    const wanted = plan();
    const credential = await target.created(wanted);
    const secret = credential.connection.password.reveal();
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    await target.broker.create(wanted);
    const { rows } = await superuser.query<{ query: string }>('SELECT query FROM pg_stat_activity');
    const shown = rows.map(({ query }) => query).join('\n');
    expect(shown).toContain('mayfly.fence');
    for (const text of [shown, target.logged.join('\n'), inspect(credential), JSON.stringify(credential)]) {
      expect(text).not.toContain(secret);
    }
    expect(target.logged.join('\n')).not.toContain('SCRAM-SHA-256$');
  });

  it('is kept by the server as a verifier of one iteration', async () => {
    const wanted = plan();
    await target.created(wanted);
    const { rows } = await superuser.query<{ verifier: string }>(
      'SELECT rolpassword AS verifier FROM pg_authid WHERE rolname = $1',
      [wanted.principal],
    );
    expect(rows[0]?.verifier).toMatch(
      /^SCRAM-SHA-256\$1:[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/,
    );
  });
});
