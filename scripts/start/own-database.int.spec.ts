import pg from 'pg';
import { startOwnPostgres } from '../../test/support/own-postgres.mjs';
import { prepareOwnDatabase, ROLES } from './own-database.mjs';

const passwords = Object.fromEntries(ROLES.map((role) => [role, `of ${role}`]));
let server: Awaited<ReturnType<typeof startOwnPostgres>>;
beforeAll(async () => (server = await startOwnPostgres()));
afterAll(() => server.stop());

async function ask<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
const eventTriggers = (adminUrl: string) =>
  ask<{ name: string }>(adminUrl, 'SELECT evtname AS name FROM pg_event_trigger ORDER BY 1');

it('guards the log where it may install event triggers, and prepares the rest where it may not', async () => {
  await ask(server.url, "CREATE ROLE keeper LOGIN CREATEDB CREATEROLE PASSWORD 'kept'");
  const keeper = Object.assign(new URL(server.url), { username: 'keeper', password: 'kept' }).href;

  const own = await prepareOwnDatabase(keeper, passwords, { withBus: false });
  expect(await eventTriggers(own.adminUrl)).toEqual([]);
  expect(
    await ask(own.urlOf('mayfly_audit_owner'), "SELECT has_schema_privilege('audit', 'CREATE') AS may"),
  ).toEqual([{ may: true }]);

  const names = ['mayfly_log_drop', 'mayfly_log_end', 'mayfly_log_start'].map((name) => ({ name }));
  for (let times = 0; times < 2; times += 1) {
    const again = await prepareOwnDatabase(server.url, passwords, { withBus: false });
    expect(await eventTriggers(again.adminUrl)).toEqual(names);
  }
  await expect(ask(own.urlOf('mayfly_audit_owner'), 'CREATE TABLE audit.mine ()')).rejects.toMatchObject({
    code: '42501',
  });
  await ask(own.urlOf('mayfly_broker'), 'CREATE TABLE broker.mine ()');
});
