import { STEP_MS, Turns } from './turns.js';

const NOW_MS = 1_000_000;

/** Places of leases that become due in this order, as an order: which of them comes first, second, … */
function order(turns: Turns, leases: readonly (readonly [tenant: string, taskId: string])[], nowMs = NOW_MS) {
  return leases
    .map(([tenant, taskId], n) => ({ n, atMs: turns.next('shop', tenant, taskId, nowMs) }))
    .toSorted((a, b) => a.atMs - b.atMs || a.n - b.n)
    .map(({ n }) => n);
}

it('lets a task with one lease go before the rest of a task with many', () => {
  const many = Array.from({ length: 1_000 }, () => ['acme', 'long'] as const);
  expect(order(new Turns(), [...many, ['acme', 'short']]).indexOf(1_000)).toBeLessThanOrEqual(2);
});

it('lets a tenant with one task go before the rest of a tenant with many', () => {
  const many = Array.from({ length: 1_000 }, (_, n) => ['acme', `task ${n}`] as const);
  expect(order(new Turns(), [...many, ['other', 'only']]).indexOf(1_000)).toBe(1);
});

it('keeps the leases of one task in their order', () => {
  const turns = new Turns();
  const places = [0, 0, 5].map((laterMs) => turns.next('shop', 'acme', 'one', NOW_MS + laterMs));
  expect(places).toEqual([NOW_MS, NOW_MS + STEP_MS, NOW_MS + 2 * STEP_MS]);
});

it('holds nothing against a task that has waited in no line for a while', () => {
  const turns = new Turns();
  turns.next('shop', 'acme', 'one', NOW_MS);
  expect(turns.next('shop', 'acme', 'one', NOW_MS + 60_000)).toBe(NOW_MS + 60_000);
});

it('begins anew once the line is empty', () => {
  const turns = new Turns();
  for (let n = 0; n < 1_000; n++) turns.next('shop', 'acme', 'one', NOW_MS);
  turns.forget('shop');
  expect(turns.next('shop', 'acme', 'one', NOW_MS)).toBe(NOW_MS);
});

it('has a line for each target', () => {
  const turns = new Turns();
  turns.next('shop', 'acme', 'one', NOW_MS);
  expect(turns.next('other', 'acme', 'one', NOW_MS)).toBe(NOW_MS);
});
