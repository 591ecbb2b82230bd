/** A create that a paused broker or a dead one has sent to PostgreSQL, and that lands before or after a cut. */
import pg from 'pg';
import type { Plan } from '../provider.js';
import { checkCreate } from './checked-plan.js';
import { createMessage } from './create-message.js';
import { KilledSender } from './killed-sender.contract.js';
import { openSampleTarget, type SampleTarget } from './sample-target.contract.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';

let target: SampleTarget;
let superuser: pg.Client;
beforeAll(async () => {
  target = await openSampleTarget('spl');
  superuser = await target.superuser();
});
afterAll(() => target.close());

const plan = (change?: Partial<Plan>) => target.plan(change);
const messageOf = (wanted: Plan) =>
  createMessage(
    [{ plan: checkCreate(wanted, target.brokerSettings), verifier: scramVerifier(randomSecret()) }],
    'mayfly_issuer',
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
