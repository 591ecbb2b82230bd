/** Who can get at governed tables without a lease, on a real server: each way in, and nothing that is none. */
import type pg from 'pg';
import type { GovernedAction, StandingAccess } from '#events/standing-access.js';
import { describeStandingAccess, type StandingHarness } from '../standing-access.contract.js';
import { tellsIncarnation, tellsStandingAccess, type TellsStandingAccess } from '../target-survey.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';

const source = (provider: object): TellsStandingAccess => {
  const given = provider as SampleTarget['revoker'];
  if (!tellsStandingAccess(given)) throw new Error('the adapter tells nothing of standing access');
  return given;
};
/** Everything belongs to this spec: other specs are at work in the same database. */
const ORDERS: GovernedAction[] = [
  { dataset: 'sta.orders', action: 'read', rights: ['pol_sta_read'], reads: true },
  { dataset: 'sta.orders', action: 'write', rights: ['pol_sta_write'], reads: false },
];

let target: SampleTarget;
let admin: pg.Client;
const accounts = new Set<string>();

async function open(): Promise<void> {
  target = await openSampleTarget('sta');
  admin = await target.superuser();
  await reset();
  await admin.query(`
    CREATE SCHEMA sta;
    CREATE TABLE sta.orders (id int, amount numeric, note text, region text) PARTITION BY LIST (region);
    CREATE TABLE sta.orders_eu PARTITION OF sta.orders FOR VALUES IN ('EU');
    CREATE VIEW sta.totals AS SELECT region, sum(amount) AS amount FROM sta.orders GROUP BY region;
    CREATE VIEW sta.own_eyes WITH (security_invoker) AS SELECT * FROM sta.orders;
    CREATE TABLE sta.unrelated (id int);
    CREATE ROLE pol_sta_read NOLOGIN; CREATE ROLE pol_sta_write NOLOGIN; CREATE ROLE sta_owner NOLOGIN;
    CREATE ROLE sta_group NOLOGIN; CREATE ROLE sta_granter NOLOGIN;
    GRANT USAGE ON SCHEMA sta TO pol_sta_read, pol_sta_write, sta_group;
    GRANT SELECT ON sta.orders TO pol_sta_read; GRANT SELECT, INSERT, UPDATE ON sta.orders TO pol_sta_write;
    GRANT SELECT ON sta.orders TO sta_group;`);
}
async function reset(): Promise<void> {
  for (const account of accounts) await dropRole(account);
  accounts.clear();
  await admin.query('DROP SCHEMA IF EXISTS sta CASCADE');
  for (const role of ['pol_sta_read', 'pol_sta_write', 'sta_owner', 'sta_group', 'sta_granter'])
    await dropRole(role);
}
async function dropRole(name: string): Promise<void> {
  const role = admin.escapeIdentifier(name);
  const { rowCount } = await admin.query('SELECT FROM pg_roles WHERE rolname = $1', [name]);
  if (rowCount === 1) await admin.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
}
async function login(name: string, options = ''): Promise<string> {
  const role = admin.escapeIdentifier(name);
  accounts.add(name);
  await admin.query(
    `CREATE ROLE ${role} LOGIN ${options}; GRANT CONNECT ON DATABASE shop_providers TO ${role}`,
  );
  return role;
}
const SCHEMA = 'GRANT USAGE ON SCHEMA sta TO';

describeStandingAccess('postgres', async (): Promise<StandingHarness> => {
  await open();
  return {
    ...{ source: source(target.revoker), unreachable: source(target.unreachable), governed: ORDERS },
    async giveAccess(account) {
      const role = await login(account);
      await admin.query(`${SCHEMA} ${role}; GRANT SELECT ON sta.orders TO ${role}`);
    },
    giveNothing: async (account) => void (await login(account)),
    takeAway: async (account) =>
      void (await admin.query(`REVOKE SELECT ON sta.orders FROM ${admin.escapeIdentifier(account)}`)),
    drop: dropRole,
    async lend() {
      const plan = target.plan({});
      await target.created(plan);
      return plan.principal;
    },
    own: ['mayfly_broker', 'mayfly_revoker'],
    hostileName: `x"'; DROP ROLE y; --\n\u202e`,
    close: async () => {
      await reset();
      await target.close();
    },
  };
});

describe('at a PostgreSQL server', () => {
  beforeAll(open);
  afterEach(async () => {
    await admin.query(
      'ALTER TABLE sta.orders OWNER TO postgres; REVOKE ALL ON sta.orders FROM PUBLIC; REVOKE ALL ON SCHEMA sta FROM PUBLIC',
    );
    for (const account of accounts) await dropRole(account);
    accounts.clear();
  });
  afterAll(async () => {
    await reset();
    await target.close();
  });

  const found = async (name: string): Promise<StandingAccess | undefined> => {
    for await (const each of source(target.revoker).standingAccess(ORDERS))
      if (each.principal === name) return each;
    return undefined;
  };
  const reaches = (actions: string[]) => [{ dataset: 'sta.orders', actions }];

  it.each([
    ['a table', 'GRANT SELECT ON sta.orders TO', ['read']],
    ['one column', 'GRANT SELECT (note) ON sta.orders TO', ['read']],
    ['a partition', 'GRANT SELECT ON sta.orders_eu TO', ['read']],
    ['a view that shows it', 'GRANT SELECT ON sta.totals TO', ['read']],
    ['rows to be written', 'GRANT INSERT ON sta.orders TO', ['write']],
    ['more than is ever lent', 'GRANT ALL ON sta.orders TO', ['read', 'write']],
  ])('finds who was granted %s', async (_what, grant, actions) => {
    const role = await login('sta_x');
    await admin.query(`${SCHEMA} ${role}; ${grant} ${role}`);
    expect(await found('sta_x')).toMatchObject({ reaches: reaches(actions), how: [{ way: 'grant' }] });
  });

  it.each([
    ['a right without the use of its schema', (role: string) => `GRANT SELECT ON sta.orders TO ${role}`],
    ['the schema alone', (role: string) => `${SCHEMA} ${role}`],
    ['another table', (role: string) => `${SCHEMA} ${role}; GRANT SELECT ON sta.unrelated TO ${role}`],
    [
      'a view that looks with the eyes of whoever asks',
      (role: string) => `${SCHEMA} ${role}; GRANT SELECT ON sta.own_eyes TO ${role}`,
    ],
    [
      'a role that it can neither use nor become',
      (role: string) => `GRANT sta_group TO ${role} WITH INHERIT FALSE, SET FALSE`,
    ],
    [
      'a database that it may not enter',
      (role: string) =>
        `${SCHEMA} ${role}; GRANT SELECT ON sta.orders TO ${role}; REVOKE CONNECT ON DATABASE shop_providers FROM ${role}`,
    ],
  ])('does not take for access: %s', async (_what, sql) => {
    await admin.query(sql(await login('sta_x')));
    expect(await found('sta_x')).toBeUndefined();
  });

  it.each([
    ['inherits a role', 'WITH INHERIT TRUE, SET FALSE', 'grant'],
    ['may become it', 'WITH INHERIT FALSE, SET TRUE', 'grant'],
    [
      'may only pass it on, and so give it to itself',
      'WITH INHERIT FALSE, SET FALSE, ADMIN TRUE',
      'may_grant',
    ],
  ])('finds who %s', async (_what, options, way) => {
    const role = await login('sta_x');
    await admin.query(`GRANT sta_group TO ${role} ${options}`);
    const access = await found('sta_x');
    expect(access).toMatchObject({ reaches: reaches(['read']), how: [{ way, through: 'sta_group' }] });
    expect(access?.remedy[0]).toBe('REVOKE "sta_group" FROM "sta_x" GRANTED BY "postgres";');
  });

  it('follows memberships as far as they lead, and takes away the first', async () => {
    const role = await login('sta_x');
    await admin.query(
      `GRANT sta_group TO sta_granter WITH INHERIT TRUE, SET FALSE; GRANT sta_granter TO ${role} WITH INHERIT FALSE, SET TRUE`,
    );
    const access = await found('sta_x');
    expect(access?.how).toEqual([
      { way: 'grant', through: 'sta_group', object: 'sta.orders', rights: ['SELECT'] },
    ]);
    expect(access?.remedy[0]).toBe('REVOKE "sta_granter" FROM "sta_x" GRANTED BY "postgres";');
    await admin.query('REVOKE sta_group FROM sta_granter');
  });

  it.each([
    ['a superuser', 'SUPERUSER', 'superuser', ['read', 'write']],
    ['who may copy the server', 'REPLICATION', 'replication', ['read']],
  ])('finds %s', async (_what, option, way, actions) => {
    await login('sta_x', option);
    expect(await found('sta_x')).toMatchObject({ reaches: reaches(actions), how: [{ way }] });
  });

  it.each([
    ['pg_read_all_data', 'all_data', ['read']],
    ['pg_write_all_data', 'all_data', ['write']],
    ['pg_read_server_files', 'server_files', ['read']],
    ['pg_execute_server_program', 'server_files', ['read', 'write']],
  ])('finds a member of %s', async (group, way, actions) => {
    await admin.query(`GRANT ${group} TO ${await login('sta_x')}`);
    expect(await found('sta_x')).toMatchObject({ reaches: reaches(actions), how: [{ way, through: group }] });
  });

  it('finds who owns a table, and leaves to people whose it shall be', async () => {
    const role = await login('sta_x');
    await admin.query(
      `GRANT USAGE, CREATE ON SCHEMA sta TO ${role}; ALTER TABLE sta.orders OWNER TO ${role}`,
    );
    const access = await found('sta_x');
    expect(access).toMatchObject({ reaches: reaches(['read', 'write']), how: [{ way: 'owner' }] });
    expect(access?.remedy).toContain('-- ALTER TABLE "sta"."orders" OWNER TO …;');
  });

  it('finds what everybody has, and does not take it from everybody', async () => {
    await login('sta_x');
    await admin.query('GRANT USAGE ON SCHEMA sta TO PUBLIC; GRANT SELECT ON sta.orders TO PUBLIC');
    const access = await found('sta_x');
    expect(access).toMatchObject({ reaches: reaches(['read']), how: [{ way: 'public' }] });
    expect(access?.remedy).toContain('-- REVOKE SELECT ON TABLE "sta"."orders" FROM PUBLIC;');
  });

  it('says whether it ends by itself, and whether filters of rows hold for it', async () => {
    const role = await login('sta_x', `VALID UNTIL '2999-01-01' BYPASSRLS`);
    await admin.query(`${SCHEMA} ${role}; GRANT SELECT ON sta.orders TO ${role}`);
    const access = await found('sta_x');
    expect(access).toMatchObject({ neverExpires: false, how: [{ way: 'grant' }, { way: 'bypass_rls' }] });
    expect(access?.remedy).toContain('ALTER ROLE "sta_x" NOBYPASSRLS;');
  });

  it('takes a name like ours, and an account that acts for us, for what they are', async () => {
    const close = await login('ksta_old');
    const broker = await login('mayfly_broker_old');
    await admin.query(`${SCHEMA} ${close}, ${broker}; GRANT SELECT ON sta.orders TO ${close}, ${broker}`);
    expect(await found('ksta_old')).toBeDefined();
    expect(await found('mayfly_broker_old')).toBeDefined();
  });

  it('writes a remedy that works: run as it is, nothing is left', async () => {
    const role = await login('sta_x', 'REPLICATION');
    await admin.query(`${SCHEMA} ${role}; GRANT SELECT, INSERT ON sta.orders TO ${role}; GRANT SELECT (note) ON sta.orders TO ${role};
      GRANT sta_group, pg_read_all_data TO ${role};
      GRANT SELECT ON sta.orders TO sta_granter WITH GRANT OPTION; ${SCHEMA} sta_granter;
      SET ROLE sta_granter; GRANT SELECT ON sta.orders TO ${role}; RESET ROLE;
      ALTER DEFAULT PRIVILEGES IN SCHEMA sta GRANT SELECT ON TABLES TO ${role}`);
    const access = await found('sta_x');
    expect(access?.how.length).toBeGreaterThan(3);

    await admin.query(`BEGIN; ${access?.remedy.join('\n') ?? ''}\nCOMMIT`);

    expect(await found('sta_x')).toBeUndefined();
    const { rowCount } = await admin.query(
      `SELECT FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee = 'sta_x'::regrole`,
    );
    expect(rowCount).toBe(0);
    await admin.query('REVOKE ALL ON sta.orders FROM sta_granter');
  });

  it('names the life of the server as observations do', async () => {
    const { revoker } = target;
    if (!tellsIncarnation(revoker)) throw new Error('the adapter does not tell');
    const plan = target.plan({});
    await target.created(plan);
    expect(await revoker.incarnation()).toBe((await revoker.observe(plan)).incarnation);
  });
});
