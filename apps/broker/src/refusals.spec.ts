import { TASK_EVENTS } from '#events/topics.js';
import { REFUSAL_WINDOW_MS, tally, type RefusalWindow, type RefusedRecord } from './refusals.js';

const AGENT = 'spiffe://dev.mayfly/agent/analyst';

const refused = (offset: number, more: Partial<RefusedRecord> = {}): RefusedRecord => ({
  topic: TASK_EVENTS,
  partition: 3,
  offset: BigInt(offset),
  valueSha256: `sha-${offset}`,
  code: 'ERR_SVID_UNTRUSTED',
  reason: 'not one of ours',
  ...more,
});
const flood = (first: number, count: number, more: Partial<RefusedRecord> = {}) =>
  Array.from({ length: count }, (_, n) => refused(first + n, more));
const window = (more: Partial<RefusalWindow> = {}): RefusalWindow => ({
  topic: TASK_EVENTS,
  partition: 3,
  sender: '',
  code: 'ERR_SVID_UNTRUSTED',
  openedAtMs: 1_000,
  singly: 20,
  beyond: null,
  ...more,
});
const place = (offset: number) => ({ offset: BigInt(offset), valueSha256: `sha-${offset}` });
const beyond = (count: number, first: number, last: number) => ({
  count,
  reason: 'not one of ours',
  first: place(first),
  last: place(last),
});

it('writes few down singly', () => {
  const { singly, closed, windows } = tally([], flood(1, 20), 1_000);

  expect(singly.map(({ offset }) => Number(offset))).toEqual(
    flood(1, 20).map(({ offset }) => Number(offset)),
  );
  expect(closed).toEqual([]);
  expect(windows).toEqual([window()]);
});

it('counts those beyond, with the first and the last of them', () => {
  const { singly, closed, windows } = tally([], flood(1, 100), 1_000);

  expect(singly).toHaveLength(20);
  expect(closed).toEqual([]);
  expect(windows).toEqual([window({ beyond: beyond(80, 21, 100) })]);
});

it('goes on counting in the next batch', () => {
  const open = [window({ beyond: beyond(80, 21, 100) })];

  const { singly, windows } = tally(open, flood(101, 5), 1_000 + REFUSAL_WINDOW_MS - 1);

  expect(singly).toEqual([]);
  expect(windows).toEqual([window({ beyond: beyond(85, 21, 105) })]);
});

it('tells the count once the window is over, and begins a new one', () => {
  const over = window({ beyond: beyond(85, 21, 105) });

  const { singly, closed, windows } = tally([over], flood(106, 2), 1_000 + REFUSAL_WINDOW_MS);

  expect(closed).toEqual([over]);
  expect(singly.map(({ offset }) => offset)).toEqual([106n, 107n]);
  expect(windows).toEqual([window({ openedAtMs: 1_000 + REFUSAL_WINDOW_MS, singly: 2 })]);
});

it('has nothing to tell of a window in which all were written down', () => {
  expect(tally([window()], flood(106, 1), 1_000 + REFUSAL_WINDOW_MS).closed).toEqual([]);
});

it.each([
  ['partition', { partition: 4 }],
  ['code', { code: 'ERR_PROOF_INVALID' as const }],
  ['authenticated sender', { sender: AGENT }],
])('gives each %s a window of its own', (_what, more) => {
  const { singly } = tally([], [...flood(1, 25), refused(90, more)], 1_000);

  expect(singly.map(({ offset }) => offset)).toContain(90n);
  expect(singly).toHaveLength(21);
});

it('writes more down of those who are known', () => {
  expect(tally([], flood(1, 300, { sender: AGENT }), 1_000).singly).toHaveLength(200);
});

it('loses nobody: every record is written down or counted, once', () => {
  let open: RefusalWindow[] = [];
  let written = 0;
  let told = 0;
  for (let batch = 0; batch < 50; batch += 1) {
    const done = tally(open, flood(batch * 37, 37), 1_000 + batch * 700);
    written += done.singly.length;
    told += done.closed.reduce((sum, each) => sum + each.beyond.count, 0);
    open = done.windows;
  }
  const left = open.reduce((sum, each) => sum + (each.beyond?.count ?? 0), 0);
  expect(written + told + left).toBe(50 * 37);
});
