import { setTimeout as sleep } from 'node:timers/promises';
import { freshSchema, type FreshSchema } from '../../../libs/store/test/fresh-schema.js';
import { Standby } from './standby.js';

let schema: FreshSchema;
const standing: Standby[] = [];
beforeEach(async () => {
  schema = await freshSchema('standby');
});
afterEach(async () => {
  for (const each of standing.splice(0)) each.stop();
  await schema.drop();
});

/** One process: a pool of its own, and its end when it loses its turn. */
function auditor(): Standby & { ended: () => Error | undefined } {
  let cause: Error | undefined;
  const standby = new Standby({
    db: schema.open(),
    warn: () => undefined,
    onLost: (error) => (cause = error),
  });
  standing.push(standby);
  return Object.assign(standby, { ended: () => cause });
}

/** As the server does when a process was killed. */
const killSessions = () =>
  schema.db.pool.query(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND a.application_name = $1`,
    [schema.db.schema],
  );

it('lets the first one work, and the second one stand by', async () => {
  const [first, second] = [auditor(), auditor()];
  await first.turn();

  const turn = second.turn();
  const won = await Promise.race([turn.then(() => true), sleep(1_500, false)]);

  expect([first.isActive, second.isActive, won]).toEqual([true, false, false]);
  second.stop();
  await expect(turn).rejects.toThrow('stopped');
});

it('gives the turn to who stands by within seconds after a kill, and ends who lost it', async () => {
  const [first, second] = [auditor(), auditor()];
  await first.turn();
  const turn = second.turn();

  const killedAtMs = Date.now();
  await killSessions();
  await turn;

  // It looks twice a second; no timeout has to be over.
  expect(Date.now() - killedAtMs).toBeLessThan(20_000);
  expect(second.isActive).toBe(true);
  while (first.ended() === undefined) await sleep(20);
  expect(first.isActive).toBe(false);
});

it('takes its turn again where nobody stands by, as after a restart of the database', async () => {
  const only = auditor();
  await only.turn();

  await killSessions();
  while (only.isActive) await sleep(5);
  while (!only.isActive) await sleep(20);

  expect(only.ended()).toBeUndefined();
});

it('gives it at once when it ends in order', async () => {
  const [first, second] = [auditor(), auditor()];
  await first.turn();
  const turn = second.turn();

  first.stop();
  await turn;

  expect(second.isActive).toBe(true);
  expect(first.ended()).toBeUndefined();
});

it('gives each schema a turn of its own', async () => {
  const other = await freshSchema('standby');
  const elsewhere = new Standby({ db: other.db, warn: () => undefined, onLost: () => undefined });
  await auditor().turn();

  await elsewhere.turn();

  expect(elsewhere.isActive).toBe(true);
  elsewhere.stop();
  await other.drop();
});
