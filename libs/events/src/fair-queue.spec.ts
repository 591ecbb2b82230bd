import { FairQueue } from './fair-queue.js';

function queueOf(...items: readonly [group: string, member: string, item: string][]): FairQueue<string> {
  const queue = new FairQueue<string>();
  for (const [group, member, item] of items) queue.push(group, member, item);
  return queue;
}

function all(queue: FairQueue<string>): string[] {
  const items: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

it('gives back what one member pushed in its order', () => {
  expect(all(queueOf(['a', 't', '1'], ['a', 't', '2'], ['a', 't', '3']))).toEqual(['1', '2', '3']);
});

it('lets the members of a group take turns', () => {
  const queue = queueOf(['a', 'long', '1'], ['a', 'long', '2'], ['a', 'long', '3'], ['a', 'short', 'x']);
  expect(all(queue)).toEqual(['1', 'x', '2', '3']);
});

it('lets groups take turns before their members do', () => {
  const queue = queueOf(['a', 't1', '1'], ['a', 't2', '2'], ['a', 't3', '3'], ['b', 'only', 'x']);
  expect(all(queue)).toEqual(['1', 'x', '2', '3']);
});

it('does not let who comes back stand before those who wait', () => {
  const queue = queueOf(['a', 't1', '1'], ['a', 't1', '2'], ['a', 't2', 'x']);
  queue.shift();
  queue.push('a', 't1', '3');
  expect(all(queue)).toEqual(['x', '2', '3']);
});

it('knows how many wait, and of whom', () => {
  const queue = queueOf(['a', 't', '1'], ['b', 'u', '2']);
  expect([queue.length, queue.has('a'), queue.has('a', 't'), queue.has('a', 'u'), queue.has('c')]).toEqual([
    2,
    true,
    true,
    false,
    false,
  ]);
  queue.shift();
  expect([queue.length, queue.has('a'), queue.has('a', 't')]).toEqual([1, false, false]);
  queue.clear();
  expect([queue.length, queue.shift()]).toEqual([0, undefined]);
});
