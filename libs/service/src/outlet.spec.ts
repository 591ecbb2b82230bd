/** Rows for one receiver: sent until they are taken, a few at once, and none by two. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Outlet, type Sent } from './outlet.js';

interface Row {
  n: number;
  attempts: number;
  dueAtMs: number;
}

/** Rows in memory, claimed as those in a table are. */
class Rows {
  readonly #rows = new Map<number, Row>();
  readonly claimed: number[] = [];
  readonly waits: number[] = [];
  /** The next claim fails. */
  broken = false;

  add(n: number): void {
    this.#rows.set(n, { n, attempts: 0, dueAtMs: 0 });
  }
  get left(): number {
    return this.#rows.size;
  }
  claim = (limit: number): Promise<Row[]> => {
    if (this.broken) {
      this.broken = false;
      return Promise.reject(new Error('no database'));
    }
    const due = [...this.#rows.values()]
      .filter(({ dueAtMs }) => dueAtMs <= performance.now())
      .slice(0, limit);
    for (const row of due) row.dueAtMs = Infinity;
    this.claimed.push(due.length);
    return Promise.resolve(due.map((row) => ({ ...row })));
  };
  settle = (taken: readonly Row[], again: readonly { row: Row; waitMs: number }[]): Promise<void> => {
    for (const { n } of taken) this.#rows.delete(n);
    for (const { row, waitMs } of again) {
      this.waits.push(waitMs);
      this.#rows.set(row.n, { ...row, attempts: row.attempts + 1, dueAtMs: performance.now() + waitMs });
    }
    return Promise.resolve();
  };
}

let rows: Rows;
let outlet: Outlet<Row>;
const sent: number[] = [];
const failures: unknown[] = [];
afterEach(() => outlet.stop());

function open(answer: (row: Row, signal: AbortSignal) => Sent | Promise<Sent>, count = 1): void {
  rows = new Rows();
  for (let n = 1; n <= count; n += 1) rows.add(n);
  sent.length = failures.length = 0;
  outlet = new Outlet({
    claim: rows.claim,
    settle: rows.settle,
    send: async (row, signal) => {
      sent.push(row.n);
      return await answer(row, signal);
    },
    failed: (error) => failures.push(error),
    ...{ pace: { firstMs: 4, longestMs: 16 }, atOnce: 3, lookEveryMs: 60_000 },
  });
  outlet.start();
}
async function until(condition: () => boolean): Promise<void> {
  for (const endMs = Date.now() + 10_000; !condition();) {
    if (Date.now() > endMs) throw new Error('waited in vain');
    await sleep(1);
  }
}
const TAKEN: Sent = { is: 'taken' };

it('sends all that is due, a few at once', async () => {
  open(() => TAKEN, 7);
  await until(() => rows.left === 0);
  expect(sent.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(Math.max(...rows.claimed)).toBe(3);
});

it('asks a receiver that was away with one row, again and again until it is back', async () => {
  let tries = 0;
  open(() => ((tries += 1) < 6 ? { is: 'away' } : TAKEN), 3);
  await until(() => rows.left === 0);
  expect(rows.claimed.slice(0, 4)).toEqual([3, 1, 1, 1]);
});

it('holds no other row up for one that is refused, and waits longer for that one each time', async () => {
  open(({ n, attempts }) => (n === 1 && attempts < 3 ? { is: 'refused' } : TAKEN), 3);
  await until(() => rows.left === 1);
  expect(sent.toSorted()).toEqual([1, 2, 3]);
  for (; rows.left > 0; await sleep(1)) outlet.wake();
  expect(rows.waits).toHaveLength(3);
  expect(rows.waits[0]).toBeLessThan(rows.waits[2] ?? 0);
});

it('is woken for what is new, and by nobody while the receiver is away', async () => {
  open(() => TAKEN, 0);
  await until(() => rows.claimed.length === 1);
  rows.add(1);
  outlet.wake();
  await until(() => rows.left === 0);
});

it('waits as long as the receiver asks for', async () => {
  open(() => ({ is: 'away', afterMs: 3_600_000 }));
  await until(() => sent.length === 1 && rows.waits.length === 1);
  for (let n = 0; n < 50; n += 1) {
    outlet.wake();
    await sleep(1);
  }
  expect(sent).toEqual([1]);
});

it('tells that rows cannot be read, and goes on', async () => {
  open(() => TAKEN, 0);
  await until(() => rows.claimed.length === 1);
  rows.broken = true;
  rows.add(1);
  outlet.wake();
  await until(() => failures.length === 1);
  outlet.wake();
  await until(() => rows.left === 0);
});

it('gives back at once what it was sending when it is told to stop', async () => {
  open(
    (_row, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ is: 'away' }), { once: true }),
      ),
  );
  await until(() => sent.length === 1);
  await outlet.stop();
  expect(rows.waits).toEqual([0]);
});
