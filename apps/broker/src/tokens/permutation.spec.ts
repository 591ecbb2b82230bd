import { Permutation } from './permutation.js';

const key = Buffer.alloc(32, 7);
const all = (permutation: Permutation, bits: number) =>
  Array.from({ length: 2 ** bits }, (_, n) => permutation.at(n));

it.each([2, 4, 8, 12])('gives each number below 2^%p once', (bits) => {
  const given = all(new Permutation(key, 'list 0', bits), bits);

  expect(new Set(given).size).toBe(2 ** bits);
  expect(Math.min(...given)).toBe(0);
  expect(Math.max(...given)).toBe(2 ** bits - 1);
});

it('gives each of a million numbers once', () => {
  const permutation = new Permutation(key, 'list 0', 20);
  const seen = new Uint8Array(2 ** 20);
  for (let n = 0; n < seen.length; n += 1) seen[permutation.at(n)] = 1;

  expect(seen.every((once) => once === 1)).toBe(true);
});

it('is the same for all who have the key, and another for each list and each key', () => {
  const of = (each: Buffer, list: string) => all(new Permutation(each, list, 8), 8).join();
  const first = of(key, 'list 0');

  expect(of(Buffer.alloc(32, 7), 'list 0')).toBe(first);
  expect(of(key, 'list 1')).not.toBe(first);
  expect(of(Buffer.alloc(32, 8), 'list 0')).not.toBe(first);
});

it('does not show which numbers follow each other', () => {
  const permutation = new Permutation(key, 'list 0', 20);
  const steps = Array.from({ length: 4_096 }, (_, n) => Math.abs(permutation.at(n + 1) - permutation.at(n)));
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;

  // Of two numbers drawn at random the distance is a third of the range.
  expect(mean / 2 ** 20).toBeGreaterThan(0.3);
  expect(mean / 2 ** 20).toBeLessThan(0.37);
  expect(new Set(steps).size).toBeGreaterThan(4_000);
});
