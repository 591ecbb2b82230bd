import { merge } from './merge.js';
import type { Row } from './tables.js';

const lease = (row: Row | undefined, facts: Row): Row =>
  merge('access_grant', row, { lease_id: 'l', ...facts });
const all = (...facts: Row[]): Row =>
  facts.reduce<Row | undefined>((row, each) => lease(row, each), undefined) ?? {};

const issued = { granted_at_ms: 10, seq_granted: 3, expires_at_ms: 60 };
const renewed = { expires_at_ms: 90, renewals: 1 };
const cut = { cut_at_ms: 70, cause: 'task_ended', seq_cut: 8 };
const cutAgain = { cut_at_ms: 80, cause: 'orphan', seq_cut: 9 };

it('keeps what was told first', () => {
  expect(all(issued, { ...issued, seq_granted: 5 })).toMatchObject({ seq_granted: 3 });
});

it('keeps the later end, whatever comes again', () => {
  expect(all(issued, renewed, issued)).toMatchObject({ expires_at_ms: 90, renewals: 1 });
});

it('keeps together what was told together', () => {
  expect(all(cut, cutAgain, cut)).toMatchObject(cutAgain);
  expect(all(cutAgain, cut)).toMatchObject(cutAgain);
});

it.each([[[issued, renewed, cut]], [[cut, issued]], [[cut, cutAgain]]])(
  'takes the same thing twice as once: %j',
  (facts) => {
    const once = all(...facts);
    for (const each of facts) expect(lease(once, each)).toBe(once);
  },
);

it('replaces by nothing where that is what is told', () => {
  const told = (at: number, rest: Row) =>
    ({ target: 't', principal: 'p', told_at_ms: at, gone_at_ms: null, ...rest }) as Row;
  const gone = merge('standing_access', undefined, told(2, { gone_at_ms: 2, why: 'no_access' }));
  const found = merge('standing_access', gone, told(3, { ways: ['grant'], why: null }));
  expect(found).toMatchObject({ gone_at_ms: null, why: null, ways: ['grant'] });
  expect(merge('standing_access', found, told(1, { ways: ['owner'] }))).toBe(found);
});

it('adds up what is only told once', () => {
  const key = { tenant: 'corp', agent: 'a' };
  const one = merge('agent_seen', undefined, { ...key, calls: 1, models: ['m 1'] });
  expect(merge('agent_seen', one, { ...key, calls: 1, models: ['m 2', 'm 1'] })).toMatchObject({
    ...{ calls: 2, models: ['m 1', 'm 2'] },
  });
});

it('keeps so many different things of a list, and no more', () => {
  const models = Array.from({ length: 40 }, (_, i) => `m ${i}`);
  const row = merge('agent_seen', undefined, { tenant: '', agent: 'a', models });
  expect(row.models).toEqual(models.slice(0, 16));
  expect(merge('agent_seen', row, { tenant: '', agent: 'a', models: ['other'] })).toBe(row);
});

it('lets no entry say what follows from other rows', () => {
  expect(() => lease(undefined, { outlived_ms: 1 })).toThrow(TypeError);
});
