import type { BusRecord } from '#bus/bus.js';
import { Overtaking } from './overtaking.js';

const at = (partition: number, ...offsets: number[]): BusRecord[] =>
  offsets.map((offset) => ({
    topic: 't',
    partition,
    offset: BigInt(offset),
    appendedAtMs: 0,
    key: Buffer.from('a'),
    value: null,
    headers: {},
  }));
const line = (overtaking: Overtaking, partition: number, key: string | null) =>
  overtaking.lineOf({ ...at(partition, 0)[0]!, key: key === null ? null : Buffer.from(key) });

/** `partition:next`, and what is handled beyond it. */
const told = (moves: ReturnType<Overtaking['movesFor']>) =>
  moves.map(({ partition, next, beyond = [] }) => [`${partition}:${next}`, ...beyond].join(' '));

it('stands behind what was handled where nothing before it waits', () => {
  const overtaking = new Overtaking();

  expect(told(overtaking.movesFor([...at(0, 3, 4), ...at(1, 7)], at(0, 5)))).toEqual(['0:5', '1:8']);
  // Offsets that are missing in the log are no records.
  expect(told(overtaking.movesFor(at(0, 3, 9), at(0, 12)))).toEqual(['0:10']);
});

it('stands before the first record that waits, and notes what was handled beyond it', () => {
  const overtaking = new Overtaking();

  expect(told(overtaking.movesFor(at(0, 3, 6, 8), at(0, 9, 7, 4)))).toEqual(['0:4 6 8']);
});

it('goes past what was handled before, once nothing before it waits any more', () => {
  const overtaking = new Overtaking();
  overtaking.moved(overtaking.movesFor(at(0, 6, 8), at(0, 3, 4, 7)));

  const some = overtaking.movesFor(at(0, 3, 4), at(0, 7));
  expect(told(some)).toEqual(['0:7 8']);
  overtaking.moved(some);
  expect(told(overtaking.movesFor(at(0, 7), []))).toEqual(['0:9']);
});

it('knows nothing of what was not committed, nor of what is to be read again', () => {
  const overtaking = new Overtaking();
  overtaking.movesFor(at(0, 6), at(0, 3, 5));
  expect(told(overtaking.movesFor(at(0, 3), at(0, 5)))).toEqual(['0:4']);

  overtaking.moved(overtaking.movesFor(at(0, 6), at(0, 3, 5)));
  overtaking.forget();
  expect(told(overtaking.movesFor(at(0, 3), at(0, 5)))).toEqual(['0:4']);
});

it('keeps the records of a key in one line, and those without a key in another', () => {
  const overtaking = new Overtaking();

  expect(line(overtaking, 0, 'a')).toBe(line(overtaking, 0, 'a'));
  const others = [line(overtaking, 0, 'b'), line(overtaking, 1, 'a'), line(overtaking, 0, null)];
  expect(new Set([line(overtaking, 0, 'a'), ...others]).size).toBe(4);
});

it('keeps a partition in one line while a hundred records have overtaken others there', () => {
  const overtaking = new Overtaking();
  const hundred = at(0, ...Array.from({ length: 100 }, (_, i) => 10 + i));
  overtaking.moved(overtaking.movesFor(hundred, at(0, 3)));

  expect(line(overtaking, 0, 'a')).toBe(line(overtaking, 0, 'b'));
  expect(line(overtaking, 1, 'a')).not.toBe(line(overtaking, 1, 'b'));
  overtaking.moved(overtaking.movesFor(at(0, 3), []));
  expect(line(overtaking, 0, 'a')).not.toBe(line(overtaking, 0, 'b'));
});
