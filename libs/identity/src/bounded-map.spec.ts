import { expect, it } from '@jest/globals';
import { BoundedMap } from './bounded-map.js';

it('a full map forgets the entry longest unused', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.get('a');
  map.set('c', 3);
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2]);
});

it('an entry set again keeps its newest value', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('a', 2);
  expect([map.get('a'), map.size]).toEqual([2, 1]);
  map.clear();
  expect(map.get('a')).toBeUndefined();
});
