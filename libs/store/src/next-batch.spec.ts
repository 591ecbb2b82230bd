import type { BusRecord } from '#bus/bus.js';
import { nextBatch } from './next-batch.js';

/** `p0` is a record of line p, `p1!` the next one there, for which somebody waits. */
const records = (...said: string[]): BusRecord[] =>
  said.map((value) => ({
    topic: 'mayfly.task.events.v1',
    partition: 0,
    offset: BigInt(parseInt(value.slice(1), 10)),
    appendedAtMs: 0,
    key: Buffer.from(value),
    value: Buffer.from(value),
    headers: {},
  }));
const told = (of: readonly BusRecord[]) => of.map(({ value }) => String(value)).join(' ');

function chosen(waiting: string, room = 100, weigh: (record: BusRecord) => number = () => 1): string {
  const hurries = ({ value }: BusRecord) => String(value).endsWith('!');
  const lineOf = ({ value }: BusRecord) => String(value).charAt(0);
  const { batch, rest } = nextBatch(records(...waiting.split(' ')), { room, weigh, hurries, lineOf });
  return `${told(batch)} | ${told(rest)}`;
}

it('takes them as they came where nobody waits for any, and where somebody waits for each', () => {
  expect(chosen('a0 b0 a1', 2)).toBe('a0 b0 | a1');
  expect(chosen('a0! b0! a1!', 2)).toBe('a0! b0! | a1!');
});

it('takes first what somebody waits for, behind all that comes before it in its line', () => {
  expect(chosen('a0 a1 a2 a3 a4 a5 b0 b1! b2')).toBe('a0 b0 b1! | a1 a2 a3 a4 a5 b2');
});

it('takes as many along as there are that somebody waits for, and never none', () => {
  expect(chosen('a0 a1 a2 a3 a4 a5 b0! b1! b2! b3! b4!')).toBe('a0 a1 a2 a3 a4 b0! b1! b2! b3! b4! | a5');
  expect(chosen('a0 b0!', 100, () => 25)).toBe('a0 b0! | ');
});

it('leaves none out in the middle of a line where there is no room for all', () => {
  expect(chosen('a0 a1 b0 a2! c0 b1!', 2)).toBe('a0 a1 c0 | b0 a2! b1!');
  expect(chosen('a0 b0 a1! a2 b1 b2!', 3)).toBe('a0 b0 a1! a2 | b1 b2!');
});

it('takes one at the least, however much it weighs', () => {
  expect(chosen('a0 a1', 1, () => 25)).toBe('a0 | a1');
});
