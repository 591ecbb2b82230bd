import { jest } from '@jest/globals';
import { GivingWay } from './giving-way.js';

/** A session whose kernel refuses as many changes as it is told to. */
function session(nice = 0) {
  const held = { nice, refuses: 0 };
  return {
    held,
    read: () => held.nice,
    write: (to: number) => {
      if (held.refuses-- > 0) throw Object.assign(new Error('again'), { code: 'EAGAIN' });
      held.nice = to;
    },
  };
}

it('goes back to what was before', () => {
  const ours = session(4);
  const way = new GivingWay(ours);
  way.give();
  way.give();
  expect(ours.held.nice).toBe(10);
  way.takeBack();
  way.takeBack();
  expect(ours.held.nice).toBe(4);
});

it('leaves alone who gives way already', () => {
  const ours = session(15);
  const way = new GivingWay(ours);
  way.give();
  way.takeBack();
  expect(ours.held.nice).toBe(15);
});

it('takes back what the kernel does not let it take back at once', () => {
  jest.useFakeTimers();
  const ours = session();
  const way = new GivingWay(ours);
  way.give();
  ours.held.refuses = 2;
  way.takeBack();
  expect(ours.held.nice).toBe(10);
  jest.advanceTimersByTime(1_000);
  expect(ours.held.nice).toBe(0);
  jest.useRealTimers();
});

it('does nothing where there is no session of its own', () => {
  const way = new GivingWay(null);
  expect(() => (way.give(), way.takeBack())).not.toThrow();
});
