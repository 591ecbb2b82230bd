import { Pump } from './pump.js';

const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
};

it('sends the first item alone and the ones that came meanwhile together', async () => {
  const { open, opened } = gate();
  const batches: number[][] = [];
  const pump = new Pump<number, number>({ flushes: 1, batch: 10 }, async (items) => {
    batches.push(items);
    await opened;
    return items.map((n) => n * 2);
  });
  const results = [1, 2, 3].map((n) => pump.push(n));
  open();
  expect(await Promise.all(results)).toEqual([2, 4, 6]);
  expect(batches).toEqual([[1], [2, 3]]);
});

it('keeps to its limits', async () => {
  let running = 0;
  let most = 0;
  const sizes: number[] = [];
  const pump = new Pump<number, null>({ flushes: 2, batch: 3 }, async (items) => {
    sizes.push(items.length);
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return items.map(() => null);
  });
  await Promise.all(Array.from({ length: 20 }, (_, n) => pump.push(n)));
  expect(most).toBe(2);
  expect(Math.max(...sizes)).toBe(3);
});

it('fails the items of one batch and goes on with the next', async () => {
  const pump = new Pump<string, string>({ flushes: 1, batch: 1 }, ([item = '']) =>
    item === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve([item]),
  );
  const results = await Promise.allSettled(['good', 'bad', 'good'].map((item) => pump.push(item)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});

it('takes as few kinds at once as it can, and always the one that waits longest', async () => {
  const { open, opened } = gate();
  const batches: string[][] = [];
  const pump = new Pump<string, null>(
    { flushes: 1, batch: 3, kindOf: ([kind = '']) => kind },
    async (items) => {
      batches.push(items);
      await opened;
      return items.map(() => null);
    },
  );

  const all = ['-', 'b1', 'a1', 'c1', 'b2', 'a2', 'c2'].map((item) => pump.push(item));
  open();
  await Promise.all(all);

  expect(batches).toEqual([['-'], ['b1', 'b2', 'c1'], ['a1', 'a2', 'c2']]);
});

it('begins none beside a full batch, and any beside one that is not', async () => {
  const gates = Array.from({ length: 4 }, gate);
  const batches: number[][] = [];
  const pump = new Pump<number, null>({ flushes: 2, batch: 2, fullAloneMs: 60_000 }, async (items) => {
    batches.push(items);
    await gates[batches.length - 1]?.opened;
    return items.map(() => null);
  });
  const results = [1, 2, 3, 4, 5, 6].map((n) => pump.push(n));
  expect(batches).toEqual([[1], [2]]);

  gates[0]?.open();
  gates[1]?.open();
  await Promise.all(results.slice(0, 2));
  expect(batches).toEqual([[1], [2], [3, 4]]);

  gates[2]?.open();
  gates[3]?.open();
  await Promise.all(results);
  expect(batches).toEqual([[1], [2], [3, 4], [5, 6]]);
});

it('waits for a full batch that hangs no longer than it is told to', async () => {
  const begun: number[][] = [];
  const pump = new Pump<number, null>({ flushes: 2, batch: 1, fullAloneMs: 20 }, (items) => {
    begun.push(items);
    return begun.length === 1 ? new Promise(() => undefined) : Promise.resolve([null]);
  });
  void pump.push(1);
  await pump.push(2);
  expect(begun).toEqual([[1], [2]]);
});
