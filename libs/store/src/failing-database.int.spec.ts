import { setTimeout as sleep } from 'node:timers/promises';
import { IntakeWorld, many, rec } from '../test/intake-world.js';
import type { Tx } from './database.js';

let world: IntakeWorld;
beforeEach(async () => {
  world = await IntakeWorld.open();
});
afterEach(() => world.close());

describe('a database that fails', () => {
  const failing = (times: number) => {
    let left = times;
    return async (tx: Tx, said: string): Promise<void> => {
      if (left > 0) {
        left -= 1;
        await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
      }
      await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
    };
  };

  it('is waited for: nothing is skipped, and nothing is parked', async () => {
    const insert = failing(3);
    const intake = world.intake({
      handle: async (tx, batch) => {
        for (const { said } of batch) await insert(tx, said);
        return batch.map(({ said }) => said);
      },
    });

    await intake.take([rec(0, 0, 'a', 'a0'), rec(0, 1, 'a', 'a1')]);
    while (intake.failingMs() === 0) await sleep(5);
    await intake.take([rec(0, 2, 'a', 'a2')]);
    await intake.idle();

    expect(await world.done()).toEqual(['a0', 'a1', 'a2']);
    expect(await world.parked()).toEqual([]);
    expect(intake.failingMs()).toBe(0);
    expect(world.warned).toContain('the database fails: what was read waits for it');
  });

  it('holds up the bus once enough waits, and lets it go on afterwards', async () => {
    const insert = failing(3);
    const intake = world.intake({
      handle: async (tx, batch) => {
        for (const { said } of batch) await insert(tx, said);
        return [];
      },
    });
    let taken = false;

    const taking = intake.take(many(0, 2_500, 'a')).then(() => (taken = true));
    while (intake.failingMs() === 0) await sleep(5);
    expect(taken).toBe(false);
    await taking;
    await intake.idle();

    expect(await world.done()).toHaveLength(2_500);
  });

  it('keeps nobody who stops: what waits is read again by the next', async () => {
    const intake = world.intake({
      handle: async (tx) => {
        await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
        return [];
      },
    });
    await intake.take([rec(0, 0, 'a', 'a0')]);
    while (intake.failingMs() === 0) await sleep(5);
    await intake.stop();
    expect(await world.positions(0)).toEqual([]);

    const next = world.intake();
    await next.take([rec(0, 0, 'a', 'a0')]);
    await next.idle();
    expect(await world.done()).toEqual(['a0']);
  });
});
