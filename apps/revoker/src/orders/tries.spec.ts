import { Tries } from './tries.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const NOW = Date.parse('2026-11-24T12:00:00.000Z');

it('lets somebody order sixty times a minute, and nobody stands in the way of another', () => {
  const tries = new Tries();
  const taken = Array.from({ length: 61 }, () => tries.take(OLGA, NOW));

  expect(taken.filter(Boolean)).toHaveLength(60);
  expect(taken.at(-1)).toBe(false);
  expect(tries.take(NADIA, NOW)).toBe(true);
  expect(tries.take(OLGA, NOW + 59_999)).toBe(false);
  expect(tries.take(OLGA, NOW + 60_000)).toBe(true);
});
