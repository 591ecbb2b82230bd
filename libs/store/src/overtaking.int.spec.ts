import type { BusRecord } from '#bus/bus.js';
import { IntakeWorld, rec } from '../test/intake-world.js';

let world: IntakeWorld;
beforeEach(async () => {
  world = await IntakeWorld.open();
});
afterEach(() => world.close());

describe('records of which one is waited for', () => {
  const hurries = (record: BusRecord) => String(record.value).includes('now');
  const behindFive = () => [
    ...['a', 'b', 'c', 'd', 'e'].map((key, i) => rec(0, i, key, `${key}${i}`)),
    rec(0, 5, 'f', 'f5 now'),
  ];
  const sorted = async () => (await world.done()).sort();
  const all = ['a0', 'b1', 'c2', 'd3', 'e4', 'f5 now'];

  it('have it overtake those of other keys in its partition, and the position comes by in the end', async () => {
    const intake = world.intake({ hurries, weigh: () => 2 });

    await intake.take(behindFive());
    await intake.idle();

    expect(world.committed).toEqual([
      ['a0', 'f5 now'],
      ['b1', 'c2', 'd3', 'e4'],
    ]);
    expect(await world.positions(0)).toEqual(['0:6']);
  });

  it('are read again without it where the process died before it came to those', async () => {
    const dying = world.intake({
      hurries,
      weigh: () => 2,
      handle: async (tx, batch) => {
        if (batch.some(({ said }) => said === 'c2')) throw Object.assign(new Error(), { code: '57P01' });
        for (const { said } of batch) await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        return [];
      },
    });
    await dying.take(behindFive());
    while (world.warned.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await dying.stop();
    expect(await world.positions(0)).toEqual(['0:1 6']);

    const next = world.intake();
    await next.take(behindFive().slice(1));
    await next.idle();

    expect(await sorted()).toEqual(all);
    expect(await world.positions(0)).toEqual(['0:6']);
  });

  it('are read again where partitions moved while it was handled by itself', async () => {
    let moved: Promise<void> | undefined;
    const intake = world.intake({
      hurries,
      weigh: () => 2,
      handle: async (tx, batch) => {
        if (batch.length > 1) throw new TypeError('not together');
        moved ??= intake.forget();
        for (const { said } of batch) await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        return [];
      },
    });
    await intake.take(behindFive());
    await intake.idle();
    await moved;
    expect(await world.positions(0)).toEqual(['0:1 6']);

    await intake.take(behindFive().slice(1));
    await intake.idle();

    expect(await sorted()).toEqual(all);
    expect(await world.positions(0)).toEqual(['0:6']);
  });

  it('are parked and passed as ever', async () => {
    const intake = world.intake({
      hurries,
      weigh: () => 2,
      concerns: (record) => !String(record.value).includes('idle'),
    });

    await intake.take([
      ...['a', 'b'].map((key, i) => rec(0, i, key, `${key}${i}`)),
      rec(0, 2, 'c', 'c idle'),
      rec(0, 3, 'd', 'd idle'),
      rec(0, 4, 'e', 'poison now'),
      rec(0, 5, 'f', 'f now'),
    ]);
    await intake.idle();
    await intake.stop();

    expect(await sorted()).toEqual(['a0', 'b1', 'f now']);
    expect(await world.parked()).toEqual(['bug poison now']);
    expect(await world.positions(0)).toEqual(['0:6']);
  });
});
