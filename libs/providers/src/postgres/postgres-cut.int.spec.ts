/** What an agent, a paused broker or a dead one can try against a cut on PostgreSQL. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createMessage } from './create-message.js';
import { checkCreate } from './checked-plan.js';
import { issuerOf } from './issuer.js';
import { KilledSender } from './killed-sender.contract.js';
import type { Plan } from '../provider.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spc');
  superuser = await target.superuser();
});
afterAll(() => target.close());

const plan = (change?: Partial<Plan>) => target.plan(change);
const messageOf = (wanted: Plan) =>
  createMessage(
    [
      {
        plan: checkCreate(wanted, target.brokerSettings),
        verifier: scramVerifier(randomSecret()),
        issuer: 'mayfly_issuer',
      },
    ],
    60_000,
  );
/** Waits for a lock for longer than any spec. */
const patientMessageOf = (wanted: Plan) =>
  messageOf(wanted).replace(/lock_timeout = \d+/, 'lock_timeout = 60000');
const asBroker = async (): Promise<pg.Client> => {
  const { connection, login } = target.brokerSettings;
  const { host, port, database } = connection;
  const client = new pg.Client({
    host,
    port,
    database,
    user: login.user,
    password: login.password.reveal(),
    ssl: false,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
};

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

describe('a create that is slow to land', () => {
  it('is ended by the cut when it sits on its fence', async () => {
    const wanted = plan();
    const paused = await asBroker();
    await paused.query(messageOf(wanted).replace(/;\nCOMMIT$/, ''));

    const report = await target.revoker.cut(wanted);

    expect(report.observation.state).toBe('absent');
    await expect(paused.query('COMMIT')).rejects.toThrow();
    expect((await target.revoker.observe(wanted)).state).toBe('absent');
    expect(target.logged.join('')).toContain('ended backends that held up a cut');
  });

  it('makes nothing when its sender was killed and the cut came first', async () => {
    const wanted = plan();
    const role = await target.holdPolicyRole();
    const sender = KilledSender.send(target.brokerSettings, patientMessageOf(wanted));
    await role.held();
    await sender.kill();

    const report = await target.revoker.cut(wanted);
    await role.release();
    await untilGone(wanted.principal);

    expect(report.observation.state).toBe('absent');
    expect((await target.revoker.observe(wanted)).state).toBe('absent');
  });

  it('is cut after it landed without its sender', async () => {
    const wanted = plan();
    const role = await target.holdPolicyRole();
    const sender = KilledSender.send(target.brokerSettings, patientMessageOf(wanted));
    await role.held();
    await sender.kill();
    await role.release();
    await untilGone(wanted.principal);
    expect((await target.revoker.observe(wanted)).state).toBe('live');

    const report = await target.revoker.cut(wanted);

    expect(report.observation).toMatchObject({ state: 'disabled', sessions: 0 });
    expect((await target.revoker.clean(wanted)).state).toBe('absent');
  });

  it('is refused by the clock of the target, whatever the clock of the broker says', async () => {
    const late = plan({ createBy: '2026-01-01T00:00:00Z', notAfter: '2026-01-01T00:02:00Z' });
    const client = await asBroker();
    await expect(client.query(messageOf(late))).rejects.toMatchObject({ code: 'MF001' });
    await client.end();
    expect((await target.revoker.observe(late)).state).toBe('absent');
  });

  it('gives up on a lock after a second, and its connection stays usable', async () => {
    const wanted = plan();
    const role = await target.holdPolicyRole();
    expect(await target.broker.create(wanted)).toEqual({ answer: 'refused', code: 'ERR_TARGET_BUSY' });
    await role.release();
    for (let i = 0; i < 5; i++) await target.created(plan());
    expect((await target.revoker.observe(wanted)).state).toBe('absent');
  });

  /** The statement of a killed sender is over when no backend runs it any more. */
  async function untilGone(principal: string): Promise<void> {
    for (;;) {
      const { rowCount } = await superuser.query(
        `SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND position($1 IN query) > 0 AND state = 'active'`,
        [principal],
      );
      if (!rowCount) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
});

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
