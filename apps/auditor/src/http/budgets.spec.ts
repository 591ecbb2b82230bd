import { Budgets, rateLimitHeaders } from './budgets.js';

it('lets each reader make so many requests at once, and gives them back with time', () => {
  const budgets = new Budgets();
  const spent = Array.from({ length: 201 }, () => budgets.spend('olga', 0));
  expect(spent.filter(({ ok }) => ok)).toHaveLength(200);
  expect(spent.at(-1)).toEqual({ ok: false, left: 0, fullInS: 4 });
  expect(budgets.spend('nadia', 0)).toMatchObject({ ok: true, left: 199 });
  expect(budgets.spend('olga', 20)).toMatchObject({ ok: true, left: 0 });
  expect(budgets.spend('olga', 60_000)).toMatchObject({ ok: true, left: 199 });
});

it('is not fuller for a clock that goes back', () => {
  const budgets = new Budgets();
  budgets.spend('olga', 1_000);
  expect(budgets.spend('olga', 0)).toMatchObject({ left: 198 });
});

it('says what is left', () => {
  expect(rateLimitHeaders({ ok: true, left: 12, fullInS: 4 })).toEqual({
    'RateLimit-Policy': '"reads";q=200;w=4',
    RateLimit: '"reads";r=12;t=4',
  });
});
