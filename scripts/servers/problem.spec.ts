import { oneLine, Problem } from './problem.mjs';

it('says what is wrong and what to do, in one line', () =>
  expect(oneLine(new Problem('port 7070 is in use', 'Free it'))).toBe(
    'mayfly: port 7070 is in use. Free it.',
  ));
it('stays one line when a tool printed several', () =>
  expect(oneLine(new Problem('it said: a\n  b', 'Read it'))).toBe('mayfly: it said: a b. Read it.'));
