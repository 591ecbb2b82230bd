import { dueSteps, type KeyStep, type RotationOrder, type ScheduledKey } from './key-schedule.js';

const HOUR = 3_600_000;
const schedule = { rotateEveryMs: 24 * HOUR, publishAheadMs: 60_000, keepMs: 25 * HOUR };
const T = Date.parse('2026-11-25T00:00:00.000Z');

const key = (
  kid: string,
  state: ScheduledKey['state'],
  change: Partial<ScheduledKey> = {},
): ScheduledKey => ({
  kid,
  state,
  publishedAtMs: T,
  activeAtMs: state === 'published' ? null : T,
  retiredAtMs: null,
  ...change,
});
const order: RotationOrder = { how: 'ahead', reason: { why: 'order', by: 'os:ada' } };
const due = (keys: ScheduledKey[], atMs: number, ordered?: RotationOrder): KeyStep[] =>
  dueSteps(keys, schedule, atMs, ordered);

it('the very first key signs at once', () => {
  expect(due([], T)).toEqual([{ do: 'replace', reason: { why: 'first' }, compromised: false }]);
});

it('a key signs for its time, and the next is published before that is over', () => {
  expect(due([key('a', 'active')], T + 24 * HOUR - 60_001)).toEqual([]);
  expect(due([key('a', 'active')], T + 24 * HOUR - 60_000)).toEqual([
    { do: 'publish', reason: { why: 'schedule' } },
  ]);
});

it('a published key waits until verifiers can know it, and then signs', () => {
  const keys = [key('a', 'active'), key('b', 'published', { publishedAtMs: T + HOUR })];

  expect(due(keys, T + HOUR + 59_999)).toEqual([]);
  expect(due(keys, T + HOUR + 60_000)).toEqual([{ do: 'activate', kid: 'b' }]);
});

it('a key that was late to be published is published all the same before it signs', () => {
  expect(due([key('a', 'active')], T + 72 * HOUR)).toEqual([{ do: 'publish', reason: { why: 'schedule' } }]);
});

it('an order publishes the next key, once', () => {
  expect(due([key('a', 'active')], T + 1, order)).toEqual([{ do: 'publish', reason: order.reason }]);
  expect(due([key('a', 'active'), key('b', 'published')], T + 1, order)).toEqual([]);
});

it.each(['at_once', 'compromised'] as const)('ordered %s, a new key signs whatever there is', (how) => {
  const reason = { why: 'restored' } as const;
  expect(due([key('a', 'active'), key('b', 'published')], T + 1, { how, reason })).toEqual([
    { do: 'replace', reason, compromised: how === 'compromised' },
  ]);
});

it('a retired key is kept until the last token that it signed has expired', () => {
  const retired = key('a', 'retired', { retiredAtMs: T + HOUR });
  const keys = [retired, key('b', 'active', { activeAtMs: T + 20 * HOUR })];

  expect(due(keys, T + 26 * HOUR - 1)).toEqual([]);
  expect(due(keys, T + 26 * HOUR)).toEqual([{ do: 'forget', kid: 'a' }]);
});
