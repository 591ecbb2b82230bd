import pg from 'pg';
import type { OpenedPostgres } from '#agent/open-envelope.js';
import { openSampleTarget } from '#providers/postgres/sample-target.contract.js';
import type { SampleTarget } from '#providers/postgres/sample-target.contract.js';
import type { Plan } from '#providers/provider.js';
import { openSession, untilRefused } from './probe.js';

const QUERY = 'SELECT count(*) FROM crm.orders';

describe('the wait for the end of a credential', () => {
  let target: SampleTarget;
  let plan: Plan;
  let credential: OpenedPostgres;
  let session: pg.Client;

  beforeAll(async () => {
    target = await openSampleTarget('cl1');
  });
  afterAll(() => target.close());
  beforeEach(async () => {
    plan = target.plan();
    const { connection } = await target.created(plan);
    credential = { kind: 'postgres', leaseId: plan.leaseId, notAfter: plan.notAfter, connection };
    session = await openSession(credential);
  });
  afterEach(() => session.end().catch(() => undefined));

  it('sees that the open session and new logins are refused once the revoker cuts', async () => {
    const sinceMs = performance.now();
    const refused = untilRefused(session, credential, QUERY, sinceMs, 30_000);
    await target.revoker.cut(plan);
    const { session: open, login } = await refused;
    // The server's last word may be lost with the connection.
    expect(open.code).toMatch(/^(57P01|connection lost)$/);
    expect(login.code).toMatch(/^28/);
    expect(Math.max(open.afterMs, login.afterMs)).toBeLessThan(30_000);
  });

  it('says so when a credential still works in the end', async () => {
    const refused = untilRefused(session, credential, QUERY, performance.now(), 100);
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLI_TIMEOUT',
      message: 'the credential still works 100 ms after the end of its task',
    });
  });

  it('takes no other failure for a refusal', async () => {
    const refused = untilRefused(session, credential, 'SELECT FROM hr.salaries', performance.now(), 30_000);
    await expect(refused).rejects.toMatchObject({
      code: 'ERR_CLI_ANSWER',
      message: 'the open session failed, and was not ended: 42501',
    });
  });
});
