import type { BusRecord } from '#bus/bus.js';
import { IntakeWorld, many, rec } from '../test/intake-world.js';

let world: IntakeWorld;
beforeEach(async () => {
  world = await IntakeWorld.open();
});
afterEach(() => world.close());

describe('records of several partitions', () => {
  it('are handled in one transaction while another commits, and all positions move with it', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const intake = world.intake({
      handle: async (tx, batch) => {
        if (batch.some(({ said }) => said === 'a0')) await held;
        for (const { said } of batch) await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        return batch.map(({ said }) => said);
      },
    });
    await intake.take([rec(0, 0, 'a', 'a0')]);
    await intake.take([rec(1, 7, 'b', 'b0'), rec(1, 8, 'b', 'b1')]);
    await intake.take([rec(0, 1, 'a', 'a1')]);
    letGo();
    await intake.idle();

    expect(world.committed).toEqual([['a0'], ['b0', 'b1', 'a1']]);
    expect(await world.positions(0, 1)).toEqual(['0:2', '1:9']);
  });

  it('gather for as long as none of them hurries', async () => {
    const intake = world.intake({ gatherMs: 60_000, hurries: (record) => String(record.value) === 'now' });

    await intake.take([rec(0, 0, 'a', 'a0')]);
    await intake.take([rec(1, 0, 'b', 'b0')]);
    expect(await world.done()).toEqual([]);
    await intake.take([rec(2, 0, 'c', 'now'), rec(2, 1, 'd', 'now')]);
    await intake.idle();

    expect(world.committed).toEqual([['a0', 'b0', 'now', 'now']]);
  });

  it('go first where somebody waits for them, and with them what comes before them of their key', async () => {
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    const intake = world.intake({
      hurries: (record) => String(record.value).includes('now'),
      weigh: () => 2,
      handle: async (tx, batch) => {
        if (batch.some(({ said }) => said === 'now first')) await held;
        for (const { said } of batch) await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        return batch.map(({ said }) => said);
      },
    });
    await intake.take([rec(9, 0, 'z', 'now first')]);
    await intake.take(many(0, 5, 'a'));
    await intake.take([rec(1, 0, 'b', 'b0'), rec(1, 1, 'b', 'b1 now'), rec(1, 2, 'b', 'b2')]);
    letGo();
    await intake.idle();

    expect(world.committed).toEqual([['now first'], ['a0', 'b0', 'b1 now'], ['a1', 'a2', 'a3', 'a4', 'b2']]);
    expect(await world.positions(0, 1, 9)).toEqual(['0:5', '1:3', '9:1']);
  });

  it('rest after a batch in which nobody was waited for, until somebody is', async () => {
    const intake = world.intake({
      hurries: (record) => String(record.value) === 'now',
      restsFor: () => 60_000,
    });
    const now = (record: BusRecord): BusRecord => ({ ...record, appendedAtMs: Date.now() });
    await intake.take([now(rec(0, 0, 'a', 'a0'))]);
    while (world.committed.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await intake.take([now(rec(0, 1, 'a', 'a1'))]);
    expect(await world.done()).toEqual(['a0']);
    await intake.take([now(rec(1, 0, 'b', 'now'))]);
    await intake.idle();

    expect(world.committed).toEqual([['a0'], ['a1', 'now']]);
  });

  it('rest as long as is said for what waits longest', async () => {
    const lateSinceMs = Date.now() - 1_000;
    const intake = world.intake({
      weigh: () => 100,
      restsFor: (_ms, lateMs) => (lateMs > lateSinceMs ? 0 : 60_000),
    });
    await intake.take(many(0, 3, 'a'));
    await intake.idle();

    expect(world.committed).toEqual([['a0'], ['a1'], ['a2']]);
  });

  it('gather no longer once they are told to hurry', async () => {
    const intake = world.intake({ gatherMs: 60_000 });

    await intake.take([rec(0, 0, 'a', 'a0')]);
    intake.hurry();
    await intake.idle();

    expect(world.committed).toEqual([['a0']]);
  });

  it('that say nothing to the reader move their position all the same', async () => {
    const intake = world.intake({ concerns: (record) => String(record.value) !== 'idle' });

    await intake.take([rec(0, 0, 'a', 'idle')]);
    await intake.stop();

    expect(await world.done()).toEqual([]);
    expect(await world.positions(0)).toEqual(['0:1']);
  });
});

describe('a record that cannot be handled', () => {
  it('in the middle of five hundred costs the others a few transactions, and no wait', async () => {
    let transactions = 0;
    const intake = world.intake({
      handle: async (tx, batch) => {
        transactions += 1;
        for (const { said } of batch) {
          await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
          if (said === 'poison') throw new TypeError('cannot be handled');
        }
        return [];
      },
    });
    const records = many(0, 501, 'other').map((record, i) =>
      i === 250 ? rec(0, i, 'bad', 'poison') : record,
    );

    await intake.take(records);
    await intake.idle();

    expect(await world.done()).toEqual(
      records.map((record) => String(record.value)).filter((said) => said !== 'poison'),
    );
    expect(await world.parked()).toEqual(['bug poison']);
    expect(await world.positions(0)).toEqual(['0:501']);
    // Six batches, one of which is halved seven times, and three tries of the record itself.
    expect(transactions).toBeLessThanOrEqual(6 + 2 * 7 + 3);
  });

  it('has later records of its key wait behind it, and nobody else', async () => {
    const intake = world.intake();

    await intake.take([rec(0, 0, 'bad', 'poison'), rec(0, 1, 'good', 'g0'), rec(0, 2, 'bad', 'later')]);
    await intake.take([rec(0, 3, 'bad', 'latest'), rec(0, 4, 'good', 'g1')]);
    await intake.idle();

    expect(await world.done()).toEqual(['g0', 'g1']);
    expect(await world.parked()).toEqual(['bug poison', 'behind later', 'behind latest']);
  });

  it('holds nothing where its sender may not', async () => {
    const intake = world.intake();

    await intake.take([rec(0, 0, 'key', 'poison of a stranger'), rec(0, 1, 'key', 'later')]);
    await intake.idle();

    expect(await world.done()).toEqual(['later']);
    expect(await world.parked()).toEqual(['bug poison of a stranger']);
  });

  it('is set aside where reading it is what fails', async () => {
    const intake = world.intake();

    await intake.take([rec(0, 0, 'a', 'a0'), rec(0, 1, 'bad', 'unreadable'), rec(0, 2, 'a', 'a1')]);
    await intake.idle();

    expect(await world.done()).toEqual(['a0', 'a1']);
    expect(await world.parked()).toEqual(['bug unreadable']);
  });

  it('is remembered by whoever reads the partition next', async () => {
    const intake = world.intake();
    await intake.take([rec(0, 0, 'bad', 'poison')]);
    await intake.stop();

    const next = world.intake();
    await next.remember();
    await next.take([rec(0, 1, 'bad', 'later')]);
    await next.idle();

    expect(await world.parked()).toEqual(['bug poison', 'behind later']);
  });

  it('is asked for where another owner of the partition was at work in between', async () => {
    const intake = world.intake();
    const other = world.intake();
    await other.take([rec(0, 0, 'bad', 'poison')]);
    await other.stop();

    await intake.take([rec(0, 0, 'bad', 'poison'), rec(0, 1, 'bad', 'later')]);
    await intake.idle();

    expect(await world.parked()).toEqual(['bug poison', 'behind later']);
  });

  it('ends the reader where it cannot be set aside either', async () => {
    const intake = world.intake({ setAside: () => Promise.reject(new TypeError('nor this')) });

    await intake.take([rec(0, 0, 'bad', 'poison')]);
    await intake.idle();

    expect(world.dead?.message).toBe('nor this');
    await expect(intake.take([rec(0, 1, 'a', 'a0')])).rejects.toThrow('nor this');
    expect(await world.positions(0)).toEqual([]);
  });
});

it('forgets what waits when partitions move', async () => {
  const intake = world.intake({ gatherMs: 60_000, hurries: () => false });
  await intake.take([rec(0, 0, 'a', 'a0')]);

  await intake.forget();
  await intake.idle();

  expect(await world.done()).toEqual([]);
});
