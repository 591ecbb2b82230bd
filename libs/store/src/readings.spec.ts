import { describe, expect, it, jest } from '@jest/globals';
import type { BusRecord } from '#bus/bus.js';
import { somebodyElse } from '../../bus/test/somebody-else.js';
import { Readings } from './readings.js';

const rec = (offset: number): BusRecord => ({
  ...{ topic: 'mayfly.task.events.v1', partition: 0, offset: BigInt(offset), appendedAtMs: 0 },
  ...{ key: null, value: null, headers: {} },
});
const said = async (readings: Readings<string>, records: BusRecord[]) =>
  [...(await readings.of(records)).values()].map((read) => read.said);

describe('what records say', () => {
  it('is read in turns, so that nobody else waits for all of it', async () => {
    const { busily, letInAfter } = somebodyElse();

    await new Readings(busily).of([rec(7), rec(8), rec(9)]);

    expect(letInAfter()).toBeLessThan(3);
  });

  it('is read once, in their order', async () => {
    const asked: bigint[] = [];
    const readings = new Readings(({ offset }) => {
      asked.push(offset);
      return `says ${offset}`;
    });
    const records = [rec(7), rec(8)];
    await readings.begin(records);
    expect(asked).toEqual([]);

    expect(await said(readings, records)).toEqual(['says 7', 'says 8']);
    expect(await said(readings, records.slice(1))).toEqual(['says 8']);
    expect(asked).toEqual([7n, 8n]);
  });

  it('is read anew where reading failed', async () => {
    let fails = true;
    const readings = new Readings((): string => {
      if (fails) throw new TypeError('cannot be read');
      return 'readable';
    });
    const records = [rec(7)];
    await expect(readings.of(records)).rejects.toThrow('cannot be read');

    fails = false;
    expect(await said(readings, records)).toEqual(['readable']);
  });
});

describe('what other threads read', () => {
  /** Answers when it is told to, in whatever order. */
  function slow() {
    const under = new Map<bigint, { resolve: (said: string) => void; reject: (error: Error) => void }>();
    const elsewhere = jest.fn(
      ({ offset }: BusRecord) =>
        new Promise<string>((resolve, reject) => under.set(offset, { resolve, reject })),
    );
    return { under, elsewhere, readings: new Readings<string>({ elsewhere }) };
  }

  it('begins when the records come in, and keeps their order whichever is done first', async () => {
    const { under, elsewhere, readings } = slow();
    const records = [rec(7), rec(8)];
    await readings.begin(records);
    expect(elsewhere).toHaveBeenCalledTimes(2);

    const all = said(readings, records);
    under.get(8n)?.resolve('second');
    under.get(7n)?.resolve('first');
    expect(await all).toEqual(['first', 'second']);
    await readings.begin(records);
    expect(await said(readings, records)).toEqual(['first', 'second']);
    expect(elsewhere).toHaveBeenCalledTimes(2);
  });

  it('fails when its turn comes, with nobody else to hear of it, and is begun anew', async () => {
    const { under, readings } = slow();
    const records = [rec(7)];
    await readings.begin(records);
    under.get(7n)?.reject(new TypeError('cannot be read'));
    await new Promise(setImmediate);

    const again = readings.of(records);
    under.get(7n)?.resolve('readable');
    expect([...(await again).values()].map((read) => read.said)).toEqual(['readable']);
  });

  it('is begun in turns, so that nobody else waits for all of it', async () => {
    const { busily, letInAfter } = somebodyElse();
    const readings = new Readings({ elsewhere: () => Promise.resolve(busily()) });

    await readings.begin([rec(7), rec(8), rec(9)]);

    expect(letInAfter()).toBeLessThan(3);
  });

  it('tells a failure to who waits for it', async () => {
    const { under, readings } = slow();
    const waiting = readings.of([rec(7)]);
    under.get(7n)?.reject(new TypeError('cannot be read'));

    await expect(waiting).rejects.toThrow('cannot be read');
  });
});
