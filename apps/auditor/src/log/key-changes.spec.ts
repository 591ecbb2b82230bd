import { keyChanges } from './key-changes.js';

const signed = (n: bigint, ...vkeys: string[]) => ({ n, note: `note ${n}`, vkeys });

it('is nothing while the same keys sign, in any order', () => {
  expect(keyChanges(['a', 'b'], [signed(1n, 'b', 'a'), signed(2n, 'a', 'b')])).toEqual([]);
});

it('is nothing where nobody knows who signed before', () => {
  expect(keyChanges(undefined, [signed(1n, 'a')])).toEqual([]);
  expect(keyChanges(['a'], [])).toEqual([]);
});

it('is told of each checkpoint that shows one', () => {
  expect(
    keyChanges(['a'], [signed(4n, 'a'), signed(5n, 'a', 'b'), signed(6n, 'a', 'b'), signed(7n, 'b')]),
  ).toEqual([
    { type: 'log.key.added', vkey: 'b', keys: ['a', 'b'], note: 'note 5', n: 5n },
    { type: 'log.key.retired', vkey: 'a', keys: ['b'], note: 'note 7', n: 7n },
  ]);
});
