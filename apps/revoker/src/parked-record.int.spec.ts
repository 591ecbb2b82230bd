/** An end that our own code cannot handle: the leases of its task are cut all the same, and others' ends are obeyed. */
import { v7 as uuidv7 } from 'uuid';
import { World } from './revoker-world.contract.js';

let world: World;
beforeAll(async () => {
  world = await World.open('rvp');
});
afterAll(() => world.close());
beforeEach(() => world.start());
afterEach(() => world.stop());

async function live(taskId: string): Promise<string> {
  await world.startTask(taskId);
  const plan = world.target.plan();
  await world.say(world.intended(taskId, plan));
  await world.target.created(plan);
  await world.say(world.issued(taskId, plan));
  await world.quiet();
  return plan.leaseId;
}

it('cuts what the task has, by generation, and lets others go on', async () => {
  const [own, other] = [uuidv7(), uuidv7()];
  const [ownLease, otherLease] = [await live(own), await live(other)];
  await world.db.pool.query(`
    CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too much'; END $$;
    CREATE TRIGGER trip BEFORE INSERT ON tombstone FOR EACH ROW
      WHEN (NEW.task_id = '${own}' AND NEW.cause = 'task_ended') EXECUTE FUNCTION trip();`);

  await world.endTask(own);
  await world.endTask(other);

  expect(await world.hears(otherLease, 'lease.access_cut')).toMatchObject({ cause: 'task_ended' });
  expect(await world.hears(ownLease, 'lease.access_cut')).toMatchObject({ cause: 'parked' });
  const { rows } = await world.db.pool.query('SELECT why, key_text, holds FROM dead_letter');
  expect(rows).toEqual([{ why: 'bug', key_text: own, holds: true }]);
  await world.until(() => world.revocation(`task:${own}`) !== undefined, 'the revocation');
  expect(world.revocation(`task:${own}`)).toMatchObject({ generationBelow: 2, reason: 'parked' });
});

it('makes way where nothing can be written of its task', async () => {
  const [own, other] = [uuidv7(), uuidv7()];
  const [, otherLease] = [await live(own), await live(other)];
  await world.db.pool.query(`
    CREATE OR REPLACE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too much'; END $$;
    CREATE TRIGGER trip_all BEFORE INSERT ON tombstone FOR EACH ROW
      WHEN (NEW.task_id = '${own}') EXECUTE FUNCTION trip();`);

  await world.endTask(own);
  await world.endTask(other);

  expect(await world.hears(otherLease, 'lease.access_cut')).toMatchObject({ cause: 'task_ended' });
  const { rows } = await world.db.pool.query('SELECT key_text FROM dead_letter ORDER BY id DESC LIMIT 1');
  expect(rows).toEqual([{ key_text: own }]);
  expect(world.logged.join('')).toContain('the leases of a parked record cannot be read or cut');
});
